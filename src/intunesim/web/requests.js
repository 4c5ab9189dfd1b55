// requests.js - what has been received, and what was answered.
import { h, replace, head, card, badge, copyButton, button, count } from "./dom.js";
import * as api from "./api.js";

// The step of a path; the first that fits.
const STEPS = [
  [/\/oauth2\/|\/msi\/token/, "token"], [/servicePrincipals/i, "discovery"], [/validateRequest/i, "validate"], [/successNotification/i, "success"],
  [/failureNotification/i, "failure"], [/downloadRevocationRequests/i, "download"], [/uploadRevocationResults/i, "upload"], [/^\/+sim\/devices\//i, "device"],
  [/^\/+sim\//i, "control"], [/^\/+(v1\.0|beta)\//i, "graph"], [/./, "other"],
];
const NAMES = [...new Set(STEPS.map(([, name]) => name))];
const NO_BODY = "(holds secrets: not kept)";

function parts(r) {
  const [method, target = ""] = r.request.split(" ");
  const path = target.split("?")[0];
  return { ...r, method, target, step: STEPS.find(([pattern]) => pattern.test(path))?.[1] ?? "other" };
}

// The services' paths are long and differ at the end.
const short = (target) => (/^\/+RACerts\//i.test(target) ? `…/${target.split("/").slice(-2).join("/")}` : target);

// Indented when it looks like JSON, also when it was cut or has members twice: what is shown is what was sent.
function pretty(text) {
  if (!/^\s*[[{]/.test(text)) return text;
  let out = "", depth = 0;
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"?|[{}[\],:]|[^\s"{}[\],:]+/g)) {
    const closes = token === "}" || token === "]";
    if (closes) depth = Math.max(0, depth - 1);
    if (closes ? !/[{[]$/.test(out) : /[{[,]$/.test(out)) out += `\n${"  ".repeat(depth)}`;
    out += token === ":" ? ": " : token;
    if (token === "{" || token === "[") depth++;
  }
  return out;
}

const quote = (s) => `'${s.replaceAll("'", "'\\''")}'`;
const OWN = ["host", "content-length", "connection", "authorization", "x-identity-header", "accept-encoding", "expect", "transfer-encoding"];

// The request again, for a shell: secrets are variables, to be set by whoever runs it.
function shellLine(r) {
  const words = ["curl", "-i", "-X", r.method, quote(location.origin + r.target)];
  for (const [name, value] of Object.entries(r.headers)) {
    if (!OWN.includes(name.toLowerCase())) words.push("-H", quote(`${name}: ${value}`));
    if (name.toLowerCase() === "authorization") words.push("-H", `"Authorization: ${value.split(" ")[0].replace(/[^A-Za-z]/g, "")} $TOKEN"`);
  }
  if (r.body === NO_BODY) words.push("--data", '"$BODY"');
  else if (r.body) words.push("--data-raw", quote(r.body));
  return words.join(" ");
}

// A code that Intune, Entra or Graph has put into an answer.
function verdict(r) {
  try {
    const a = JSON.parse(r.answer);
    return typeof a.code === "string" ? a.code : typeof a.error?.code === "string" ? a.error.code : typeof a.error === "string" ? a.error : null;
  } catch {
    return null;
  }
}

const isCode = (text) => /^[A-Za-z0-9_]{1,48}$/.test(text);

function one(r, open, toggled) {
  const code = verdict(r), good = r.status < 400 && (!code || code === "Success");
  const key = r.time + r.request;
  return h("details", { class: "req", open: open.has(key), ontoggle: (e) => toggled(key, e.target.open) },
    h("summary", { "data-key": key }, h("time", { class: "dim", datetime: r.time, title: r.time }, r.time.slice(11, 19)), h("span", {}, badge(good ? "valid" : "refused", `${r.status}`)),
      h("span", {}, r.step, code && code !== "Success" && isCode(code) && [" ", badge("refused", code)]), h("code", { class: "path" }, `${r.method} ${short(r.target)}`)),
    h("div", { class: "inside" },
      h("div", { class: "row" }, copyButton(shellLine(r), "Copy as curl"), r.body && r.body !== NO_BODY && copyButton(r.body, "Copy body"), h("span", { class: "dim" }, "Without tokens and secrets: $TOKEN and $BODY are yours to set.")),
      h("pre", {}, r.request),
      h("div", {}, h("h2", {}, "Headers"), h("pre", {}, Object.entries(r.headers).map(([k, v]) => `${k}: ${v}`).join("\n") || "(none)")),
      h("div", {}, h("h2", {}, "Body"), h("pre", {}, r.body ? pretty(r.body) : "(empty)")),
      h("div", {}, h("h2", {}, `Answer, ${r.status}`), h("pre", {}, r.answer ? pretty(r.answer) : "(empty)"))));
}

export const requests = {
  frame(ctx, changed) {
    ctx.filters = { step: "", status: "", text: "", paused: null, open: [] };
    ctx.held = null;
    const body = h("div", {});
    const set = (key) => (e) => { ctx.filters[key] = e.target.value; changed(); };
    const pause = button("Pause", () => {
      ctx.filters.paused = !ctx.filters.paused;
      pause.textContent = ctx.filters.paused ? "Go on" : "Pause";
      changed();
    });
    return { body, e: [head("Requests", "The last 128 that the simulator has received, newest first. Authorization is cut; bodies with secrets, tokens or challenges are not kept.", pause),
      h("div", { class: "filters" },
        h("select", { "aria-label": "Step", onchange: set("step") }, h("option", { value: "" }, "All steps"), NAMES.map((n) => h("option", {}, n))),
        h("select", { "aria-label": "Status", onchange: set("status") }, h("option", { value: "" }, "Any status"), h("option", { value: "good" }, "Went well"), h("option", { value: "bad" }, "Refused or failed")),
        h("input", { type: "search", placeholder: "Search path, body, answer", "aria-label": "Search requests", oninput: set("text") })), body] };
  },
  async load(ctx) {
    if (!ctx.filters.paused || !ctx.held) ctx.held = (await api.get("/sim/requests")).requests.map(parts).reverse();
    return ctx.held;
  },
  draw(e, list, ctx) {
    const f = ctx.filters, text = f.text.trim().toLowerCase();
    const bad = (r) => r.status >= 400 || ![null, "Success"].includes(verdict(r));
    const rows = list.filter((r) => (!f.step || r.step === f.step) && (!f.status || bad(r) === (f.status === "bad")) &&
      (!text || [r.target, r.body, r.answer].some((v) => v.toLowerCase().includes(text))));
    const open = new Set(f.open);
    const toggled = (key, is) => {
      if (is) open.add(key);
      else open.delete(key);
      f.open = [...open];
    };
    replace(e, card([h("h2", {}, count(rows.length, "request"))], rows.length ? rows.map((r) => one(r, open, toggled)) : h("div", { class: "empty" }, list.length ? "No request is like that." : "Nothing has been received yet.")));
  },
};
