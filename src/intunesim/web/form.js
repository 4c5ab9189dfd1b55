// form.js - a form from a table of fields.
import { h, button, replace, dialog, toast, plain } from "./dom.js";

const lines = (text) => text.split(/[\n]/).map((s) => s.trim()).filter((s) => s !== "");

// Each type: make(field, value) -> { e (element), read() }.
const TYPES = {
  text: (f, value) => {
    const e = h("input", { type: "text", value: value ?? "", autocomplete: "off", spellcheck: "false", placeholder: f.example, list: f.offer && `offer-${f.key}` });
    return { e, read: () => e.value.trim() };
  },
  area: (f, value) => {
    const e = h("textarea", { value: value ?? "", spellcheck: "false", rows: 6 });
    return { e, read: () => e.value.trim() };
  },
  number: (f, value) => {
    const e = h("input", { type: "number", value: value ?? "", min: f.min, max: f.max, step: f.step ?? 1 });
    return { e, read: () => (e.value === "" ? "" : Number(e.value)) };
  },
  choice: (f, value) => {
    const e = h("select", {}, f.of.map((o) => h("option", { value: o }, f.names?.[o] ?? plain(o))));
    e.value = value ?? f.of[0];
    return { e, read: () => e.value };
  },
  bool: (f, value) => {
    const e = h("input", { type: "checkbox", checked: value === true });
    return { e, read: () => e.checked };
  },
  lines: (f, value) => {
    const e = h("textarea", { value: (value ?? []).join("\n"), spellcheck: "false", rows: 3 });
    return { e, read: () => lines(e.value) };
  },
  many: (f, value) => {
    const names = [...new Set([...f.of, ...(value ?? [])])];
    const boxes = names.map((name) => [name, h("input", { type: "checkbox", checked: (value ?? []).includes(name) })]);
    const e = h("div", { class: "checks", role: "group", "aria-label": f.label },
      boxes.map(([name, box]) => h("label", { class: "check" }, box, name)));
    return { e, read: () => boxes.filter(([, box]) => box.checked).map(([name]) => name) };
  },
  refs: (f, value) => TYPES.many({ ...f, of: ["All users", "All devices", ...f.of.map((g) => g.name)] }, value),
  period: (f, value) => {
    const units = h("input", { type: "number", min: 1, max: 3650, value: value?.units ?? 1, "aria-label": "How many" });
    const period = h("select", { "aria-label": "Unit" }, ["years", "months", "days"].map((p) => h("option", {}, p)));
    period.value = value?.period ?? "years";
    return { e: h("div", { class: "row" }, units, period), read: () => ({ period: period.value, units: Number(units.value) }) };
  },
  san: (f, value) => items(value ?? [], { type: "upn", value: "" }, "Add a name", (san) => {
    const type = h("select", { "aria-label": "Kind of name" }, ["upn", "email", "dns", "uri"].map((t) => h("option", {}, t)));
    const text = h("input", { type: "text", class: "wide", value: san.value, "aria-label": "Text with variables", spellcheck: "false" });
    type.value = san.type;
    return { parts: [type, text], text, read: () => ({ type: type.value, value: text.value }) };
  }),
  // A secret that is there already is told by its last characters and kept by them.
  secrets: (f, value) => items(value ?? [], { value: "" }, "Add a secret", (s) => {
    const known = s.hint !== undefined;
    const text = h("input", { type: known ? "text" : "password", class: "wide", value: known ? `ends in ${s.hint}` : "", disabled: known,
      placeholder: "the new secret", "aria-label": "Secret", autocomplete: "new-password" });
    const expires = h("input", { type: "text", value: s.expires ?? "", placeholder: "never expires", "aria-label": "Expires (RFC 3339)", title: "RFC 3339 time, like 2026-12-31T00:00:00Z" });
    const read = () => {
      const until = expires.value.trim();
      if (!known) return { value: text.value, ...(until && { expires: until }) };
      return until === (s.expires ?? "") ? s : { hint: s.hint, expires: until || null };
    };
    return { parts: [text, expires], text, read };
  }),
};

// A list of rows that can grow and shrink.
function items(values, fresh, word, make) {
  let rows = [];
  const list = h("div", {});
  const put = (value) => {
    const row = make(value);
    row.e = h("div", { class: "item" }, row.parts, button("Remove", () => { rows = rows.filter((r) => r !== row); row.e.remove(); }, "quiet danger"));
    rows.push(row);
    list.append(row.e);
    return row;
  };
  values.forEach(put);
  const e = h("div", { class: "items" }, list, button(word, () => put(fresh).text.focus(), "quiet"));
  return { e, read: () => rows.map((r) => r.read()).filter((r) => r.value !== ""), last: () => rows.at(-1)?.text };
}

function insert(input, text) {
  if (!input) return;
  const at = input.selectionStart ?? input.value.length;
  input.setRangeText(text, at, input.selectionEnd ?? at, "end");
  input.focus();
}

function field(f, value, form) {
  const id = `f-${f.key}`, control = TYPES[f.type](f, value);
  const wrong = h("div", { class: "wrong", id: `${id}-wrong`, role: "alert" });
  const chips = h("div", { class: "chips" });
  const label = [f.label, f.required && h("span", { class: "dim" }, " (required)"), f.reissues && [" ", h("span", { class: "badge warn" }, "re-issues")]];
  const simple = control.e.matches("input, select, textarea");
  if (simple) control.e.id = id;
  control.e.setAttribute("aria-describedby", wrong.id);
  if (f.required && simple) control.e.setAttribute("aria-required", "true");
  const e = f.type === "bool"
    ? h("div", { class: "field" }, h("label", { class: "check" }, control.e, label), wrong)
    : h("div", { class: "field" }, simple ? h("label", { for: id }, label) : h("div", { class: "label" }, label), control.e, chips,
        f.help && h("div", { class: "help" }, f.help), wrong);
  if (f.offer) e.append(h("datalist", { id: `offer-${f.key}` }, f.offer.map((o) => h("option", { value: o }))));
  let last = null;
  e.addEventListener("focusin", (event) => { if (event.target.matches("input[type=text]")) last = event.target; });
  const refresh = (all) => {
    e.hidden = f.only !== undefined && !f.only(all);
    if (f.variables) {
      replace(chips, f.variables(all).map((v) => button(`{{${v}}}`, () => insert(last?.isConnected ? last : control.last ? control.last() : control.e, `{{${v}}}`), "", { title: "Insert" })));
    }
  };
  return { ...f, e, wrong, control, refresh, read: () => control.read(), was: value };
}

// Which field a sentence of the API is about: the last key that it names as a word.
function blame(fields, message) {
  const at = (f) => {
    const m = [...message.matchAll(new RegExp(`(?<![A-Za-z_"])${f.key}(?![A-Za-z_"])`, "g"))];
    return m.length ? m.at(-1).index : -1;
  };
  const named = fields.filter((f) => !f.e.hidden && at(f) >= 0).sort((a, b) => at(b) - at(a));
  return named[0];
}

const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);
const blank = (v) => v === "" || v === undefined || v === null || (Array.isArray(v) && v.length === 0);

// What to send: of a new object what is filled in, of an old one what has changed; null takes away.
function difference(fields, object) {
  const body = {};
  for (const f of fields) {
    if (f.e.hidden) continue;
    const value = f.read(), before = object?.[f.key];
    if (blank(value) && blank(before)) continue;
    if (same(value, before) || (object && f.type === "choice" && before === undefined && value === f.of[0])) continue;
    if (!object && f.type === "choice" && value === "default") continue;
    body[f.key] = blank(value) ? (Array.isArray(value) ? [] : null) : value;
  }
  return body;
}

/*
 * object: what is edited, or null to make one.  save(body, fields) sends it; its error stands beside
 * the field that it names.  A save that returns a string says it when done.
 */
export function editor({ title, fields: rows, object = null, preset = {}, action, save, intro, warn }) {
  const form = h("div", {}), error = h("div", {}), warning = h("div", {});
  const fields = rows.map((f) => field(f, object ? object[f.key] : preset[f.key] ?? f.initial));
  const all = () => Object.fromEntries(fields.map((f) => [f.key, f.read()]));
  const refresh = () => {
    const values = all();
    fields.forEach((f) => f.refresh(values));
    replace(warning, warn && object && warn(difference(fields, object)));
  };
  for (let i = 0; i < fields.length; i++) {
    if (fields[i].half && fields[i + 1]?.half) form.append(h("div", { class: "pair" }, fields[i].e, fields[++i].e));
    else form.append(fields[i].e);
  }
  form.addEventListener("change", refresh);
  refresh();
  const complain = (f, text) => {
    f.e.classList.add("bad");
    replace(f.wrong, text);
    f.e.scrollIntoView({ block: "center" });
    f.e.querySelector("input, select, textarea")?.focus();
  };
  return dialog({
    title, action, body: [intro, error, form, warning],
    submit: async () => {
      replace(error);
      fields.forEach((f) => { f.e.classList.remove("bad"); replace(f.wrong); });
      const missing = fields.find((f) => f.required && !f.e.hidden && blank(f.read()));
      if (missing) {
        complain(missing, "This is needed.");
        return false;
      }
      try {
        const said = await save(difference(fields, object), all());
        if (typeof said === "string") toast(said);
        return true;
      } catch (e) {
        const guilty = blame(fields, e.message);
        if (guilty) complain(guilty, e.message);
        else replace(error, h("div", { class: "formerror", role: "alert" }, e.message));
        return false;
      }
    },
  });
}
