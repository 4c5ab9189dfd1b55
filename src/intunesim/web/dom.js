// dom.js - making elements.  What a peer has sent becomes text here and never markup.

export function h(tag, props = {}, ...children) {
  const e = document.createElement(tag);
  for (const [key, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) e.addEventListener(key.slice(2), value);
    else if (key === "value") e.value = value;
    else if (key === "checked" || key === "disabled" || key === "required" || key === "open") e[key] = value;
    else e.setAttribute(key, value);
  }
  add(e, children);
  return e;
}

function add(e, children) {
  for (const child of children) {
    if (Array.isArray(child)) add(e, child);
    else if (child instanceof Node) e.append(child);
    else if (child !== null && child !== undefined && child !== false) e.append(String(child));
  }
}

// Put other children in; what has the focus gets it again and what was chosen stays, found by data-key.
export function replace(e, ...children) {
  const key = e.contains(document.activeElement) ? document.activeElement.dataset.key : undefined;
  const chosen = new Map([...e.querySelectorAll("select[data-key]")].map((x) => [x.dataset.key, x.value]));
  e.replaceChildren();
  add(e, children);
  for (const x of e.querySelectorAll("select[data-key]")) {
    if ([...x.options].some((o) => o.value === chosen.get(x.dataset.key))) x.value = chosen.get(x.dataset.key);
  }
  if (key !== undefined) [...e.querySelectorAll("[data-key]")].find((x) => x.dataset.key === key)?.focus({ preventScroll: true });
}

export const button = (text, onclick, kind = "", more = {}) =>
  h("button", { type: "button", class: kind, onclick, "data-key": text, ...more }, text);

export function head(title, text, ...actions) {
  return h("div", { class: "head" }, h("div", { class: "text" }, h("h1", {}, title), text && h("p", {}, text)), h("div", { class: "row" }, actions));
}

export function card(title, ...content) {
  return h("section", { class: "card" }, title && h("header", {}, typeof title === "string" ? h("h2", {}, title) : title), content);
}

const MOST = 500; // rows that are drawn; more than that is for the search

// columns: [title, row => content, class]; empty: said when there is nothing.
export function table(columns, all, empty) {
  if (all.length === 0) return h("div", { class: "empty" }, empty);
  const rows = all.slice(0, MOST);
  const cell = ([title, show, kind], row) => h("td", { "data-label": title, class: kind }, wrap(show(row)));
  const more = all.length > MOST && h("div", { class: "empty" }, `The first ${MOST} of ${all.length}; search for the others.`);
  return h("div", { class: "scroll" }, h("table", {},
    h("thead", {}, h("tr", {}, columns.map(([title, , kind]) => h("th", { scope: "col", class: kind === "acts" && kind }, title)))),
    h("tbody", {}, rows.map((row) => h("tr", {}, columns.map((c) => cell(c, row)))))), more);
}
const wrap = (x) => (x instanceof Node || Array.isArray(x) ? x : h("span", {}, x === null || x === undefined || x === "" ? "–" : x));

export function facts(pairs) {
  const shown = pairs.filter(([, value]) => value !== undefined && value !== null && value !== "");
  return h("dl", {}, shown.map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));
}

// ---- words ----

const KINDS = {
  good: ["installed", "compliant", "managed", "enabled", "revoked", "valid"],
  info: ["issued", "validated", "challengeIssued", "downloaded", "queued"],
  warn: ["inGracePeriod", "wipePending", "retirePending", "expiring", "deletePending", "unhealthy", "medium", "low"],
  bad: ["refused", "failed", "noncompliant", "error", "disabled", "expired", "high", "conflict", "wipeFailed", "retireFailed"],
};
export function badge(word, text = plain(word)) {
  const first = String(word).split(":")[0];
  const kind = Object.keys(KINDS).find((k) => KINDS[k].includes(first)) ?? "";
  return h("span", { class: `badge ${kind}${text.length > 24 ? " long" : ""}` }, text);
}

const WORDS = { ios: "iOS", macos: "macOS", windows: "Windows", android: "Android", challengeIssued: "challenge issued", validateRequest: "validateRequest" };
// Of a certificate that stands in the queue.
export const revocationBadge = (r) => badge(r.status, r.status === "pending" ? "to be revoked" : r.status === "failed" ? "revocation failed" : r.status);
// "wipePending" and "fully_managed" as people write them; a text after a colon stays as it is.
export function plain(word) {
  const [first, ...rest] = String(word ?? "–").split(":");
  const text = WORDS[first] ?? first.replaceAll("_", " ").replace(/([a-z])([A-Z])/g, (_, a, b) => `${a} ${b.toLowerCase()}`);
  return rest.length ? `${text}:${rest.join(":")}` : text;
}

// The simulator's clock minus ours, in milliseconds; set by app.js.
export const clock = { ahead: 0, now: () => Date.now() + clock.ahead };

export function ago(text) {
  const t = Date.parse(text);
  if (Number.isNaN(t)) return h("span", {}, text || "never");
  const s = Math.round((clock.now() - t) / 1000), far = Math.abs(s);
  const unit = [[60, 1, "s"], [3600, 60, "min"], [172800, 3600, "h"], [Infinity, 86400, "d"]].find(([limit]) => far < limit);
  const words = far < 3 ? "just now" : s >= 0 ? `${Math.floor(far / unit[1])} ${unit[2]} ago` : `in ${Math.floor(far / unit[1])} ${unit[2]}`;
  return h("time", { datetime: text, title: text }, words);
}

export const day = (text) => h("time", { datetime: text, title: text }, Number.isNaN(Date.parse(text)) ? text : new Date(text).toISOString().slice(0, 10));

export const count = (n, one, many = `${one}s`) => `${n} ${n === 1 ? one : many}`;

// ---- what pops up ----

export function toast(text, kind = "") {
  const e = h("div", { class: `toast ${kind}` }, text);
  document.getElementById("toasts").append(e);
  setTimeout(() => e.remove(), kind === "bad" ? 9000 : 4000);
}

export function copyButton(text, what = "Copy") {
  return button(what, async (event) => {
    const b = event.currentTarget;
    try {
      await navigator.clipboard.writeText(text);
      b.textContent = "Copied";
    } catch {
      b.textContent = "Not allowed";
    }
    setTimeout(() => { b.textContent = what; }, 1500);
  }, "quiet", { "aria-label": `${what}: ${text.slice(0, 80)}` });
}

export const copyLine = (text) => h("span", { class: "copyline" }, h("code", {}, text), copyButton(text));

// A dialog that is gone when it is closed.  submit(): false, or a promise of it, keeps it open.
export function dialog({ title, body, action, submit, kind = "main", small = false }) {
  const send = h("button", { type: "submit", class: kind }, action);
  const form = h("form", { method: "dialog", novalidate: "" },
    h("div", { class: "title" }, h("h1", { id: "dialog-title" }, title)), h("div", { class: "body" }, body),
    h("div", { class: "foot" }, h("button", { type: "button", onclick: () => d.close() }, submit ? "Cancel" : "Close"), submit && send));
  const d = h("dialog", { class: small ? "small" : "", "aria-labelledby": "dialog-title" }, form);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    send.disabled = true;
    try {
      if ((await submit()) !== false) d.close();
    } finally {
      send.disabled = false;
    }
  });
  d.addEventListener("close", () => d.remove());
  document.body.append(d);
  d.showModal();
  d.querySelector(".body :is(input, select, textarea):not([type=checkbox])")?.focus();
  return d;
}

// Ask before what cannot be taken back.
export function confirm(title, text, action, deed) {
  const error = h("div", {});
  dialog({
    title, action, small: true, kind: "main danger", body: [h("p", {}, text), error],
    submit: async () => {
      try {
        await deed();
        return true;
      } catch (e) {
        replace(error, h("div", { class: "formerror", role: "alert" }, e.message));
        return false;
      }
    },
  });
}
