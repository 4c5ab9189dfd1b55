// baddays.js - what goes wrong on purpose.
import { h, replace, head, card, table, badge, button, toast, count, plain } from "./dom.js";
import { editor } from "./form.js";
import * as api from "./api.js";

const STEPS = ["*", "token", "discovery", "validate", "success", "failure", "download", "upload", "graph", "checkin"];
const STEP_NAMES = { "*": "any step", token: "token (Entra)", discovery: "discovery (Graph)", validate: "validateRequest", success: "successNotification", failure: "failureNotification",
  download: "downloadRevocationRequests", upload: "uploadRevocationResults", graph: "Graph's directory", checkin: "a device's check-in" };
const KINDS = { status: "an HTTP status instead", code: "a code of Intune", aadsts: "an error of Entra", move: "the service has moved", skew: "the clock is wrong", drop: "a member is missing",
  null: "a member is null", unknown: "a member nobody knows", duplicate: "a member is there twice", garbage: "no JSON", empty: "no body", type: "another Content-Type", gzip: "compressed",
  huge: "a huge answer", delay: "the answer comes late", stall: "a part, then silence", cut: "a part, then closed", reset: "the connection is reset", chunked: "in small chunks", drip: "drop by drop" };

const is = (...kinds) => (v) => kinds.includes(v.fault);
const num = (key, label, kinds, more) => ({ key, label, type: "number", only: is(...kinds), half: true, ...more });
const text = (key, label, kinds, help) => ({ key, label, type: "text", only: is(...kinds), help });
const FIELDS = [
  { key: "step", label: "Step", type: "choice", of: STEPS, names: STEP_NAMES, half: true },
  { key: "fault", label: "What goes wrong", type: "choice", of: Object.keys(KINDS), names: KINDS, half: true },
  num("status", "Status", ["status"], { min: 200, max: 599, initial: 503 }), num("retryAfter", "Retry-After", ["status"], { min: 0, help: "seconds; empty: none" }),
  { key: "body", label: "Body", type: "choice", of: ["odata", "empty", "html", "text"], only: is("status") },
  text("code", "Code", ["code"], "SubjectNameMismatch, ChallengeExpired … or one that nobody knows"), text("description", "Description", ["code"]),
  num("number", "AADSTS number", ["aadsts"], { initial: 7000222, help: "7000222: the secret has expired; 90033: a transient error" }),
  text("uri", "New address", ["move"], "empty: /moved on this server"), text("offset", "Offset", ["skew"], "2h, -30d"),
  text("member", "Member of the answer", ["drop", "null", "duplicate"]), text("value", "Its other value", ["duplicate"]), text("text", "Text", ["garbage"]),
  { key: "type", label: "Content-Type", type: "choice", of: ["text/html", "text/plain", "application/xml", "application/octet-stream", "none"], only: is("type") },
  { key: "broken", label: "With a wrong checksum", type: "bool", only: is("gzip"), initial: false },
  num("sent", "Percent sent before", ["stall", "cut", "reset"], { min: 0, max: 100 }), num("ms", "Milliseconds", ["delay", "stall", "drip"], { min: 0 }), num("bytes", "Bytes", ["huge", "chunked", "drip"], { min: 1 }),
  { key: "carryOut", label: "What was asked for is done all the same", type: "bool", only: is("status", "code"), initial: false },
  { key: "share", label: "Share of the requests", type: "number", min: 0, max: 1, step: 0.01, initial: 1, half: true, help: "0 to 1" },
  { key: "after", label: "Let by first", type: "number", min: 0, half: true }, { key: "times", label: "Hit at most", type: "number", min: 0, help: "empty: no end" },
];

const READY = [
  ["Intune is down", "503 at validation and both notifications", [["validate"], ["success"], ["failure"]].map(([step]) => ({ step, fault: "status", status: 503 }))],
  ["Throttled", "429 with Retry-After for a third of all requests", [{ step: "*", fault: "status", status: 429, retryAfter: 5, share: 0.33 }]],
  ["The secret has expired", "AADSTS7000222 for every token", [{ step: "token", fault: "aadsts", number: 7000222 }]],
  ["Entra is flaky", "a transient error for half of the tokens", [{ step: "token", fault: "aadsts", number: 90033, share: 0.5 }]],
  ["Slow as on Monday", "every answer of Intune is 5 seconds late", [{ step: "validate", fault: "delay", ms: 5000 }, { step: "success", fault: "delay", ms: 5000 }]],
  ["The connection breaks", "one validation in five is reset", [{ step: "validate", fault: "reset", share: 0.2 }]],
  ["Notifications get lost", "half of them are carried out, but the answer never comes", [{ step: "success", fault: "cut", sent: 0, share: 0.5 }]],
  ["Intune has moved", "discovery tells another address", [{ step: "validate", fault: "move" }]],
  ["A proxy in between", "a page of HTML with status 200 instead of JSON", [{ step: "*", fault: "status", status: 200, body: "html", share: 0.2 }]],
  ["A code nobody knows", "validateRequest answers SomethingNew", [{ step: "validate", fault: "code", code: "SomethingNew", description: "not yet heard of", share: 0.5 }]],
];

const bare = (rules) => rules.map(({ hits, ...rule }) => rule);
async function put(ctx, body, said) {
  try {
    await api.put("/sim/faults", body);
    toast(said);
  } catch (e) {
    toast(e.message, "bad");
  }
  ctx.refresh();
}

const numbers = (o) => Object.fromEntries(Object.entries(o).filter(([, v]) => v !== "" && v !== null && v !== false));
function edit(ctx, rules, at) {
  editor({
    title: at === null ? "Add a rule" : "Edit the rule", object: null, preset: at === null ? { step: "validate" } : bare(rules)[at], fields: FIELDS, action: at === null ? "Add" : "Save",
    intro: h("p", { class: "dim" }, "The first rule that fits a request decides. Counting begins anew."),
    save: async (body) => {
      const next = bare(rules), rule = numbers(body);
      if (at === null) next.push(rule);
      else next[at] = rule;
      await api.put("/sim/faults", { rules: next });
      ctx.refresh();
      return "The rule is in force.";
    },
  });
}

function editSeed(ctx, faults) {
  editor({
    title: "Change the seed", object: null, action: "Set", preset: { seed: faults.seed },
    fields: [{ key: "seed", label: "Seed", type: "number", min: 0, required: true, help: "which requests the shares of rules hit; counting begins anew" }],
    save: async ({ seed }) => {
      await api.put("/sim/faults", { seed, rules: bare(faults.rules) });
      ctx.refresh();
      return "The seed is set.";
    },
  });
}

function details(rule) {
  const { step, fault, hits, share, after, times, ...rest } = rule;
  return Object.entries(rest).map(([k, v]) => `${plain(k)} ${v}`).join(", ") || "–";
}
const which = (r) => [r.share !== undefined && r.share !== 1 ? `${Math.round(r.share * 100)} %` : "all", r.after ? `after ${r.after}` : "", r.times ? count(r.times, "time") : ""].filter(Boolean).join(", ");

export const baddays = {
  async load(ctx) {
    return ctx.faults;
  },
  draw(e, faults, ctx) {
    const rules = faults.rules;
    const clear = async () => {
      try {
        await api.del("/sim/faults");
        toast("All is well again.");
      } catch (err) {
        toast(err.message, "bad");
      }
      ctx.refresh();
    };
    replace(e, head("Bad days", "What Intune, Entra and the network do to a CA sooner or later, on demand. The same seed hits the same requests, so that a run can be repeated.",
      rules.length > 0 && button("Clear all", clear, "danger"), button("Add rule", () => edit(ctx, rules, null), "main")),
    card([h("h2", {}, "In force"), h("span", { class: "dim" }, `seed ${faults.seed}`), button("Change seed", () => editSeed(ctx, faults), "quiet")],
      table([["Step", (r) => STEP_NAMES[r.step] ?? r.step], ["What goes wrong", (r) => KINDS[r.fault] ?? r.fault], ["How", details], ["Which", which],
        ["Hits", (r) => (r.hits ? badge("refused", `${r.hits}`) : "0")],
        ["Actions", (r) => [button("Edit", () => edit(ctx, rules, rules.indexOf(r)), "quiet", { "data-key": `e${rules.indexOf(r)}` }),
          button("Remove", () => put(ctx, { rules: bare(rules).filter((_, i) => i !== rules.indexOf(r)) }, "The rule is gone."), "quiet danger", { "data-key": `x${rules.indexOf(r)}` })], "acts"]],
      rules, "No rule: all is well.")),
    card([h("h2", {}, "Ready-made"), h("span", { class: "dim" }, "one click replaces the rules in force")], h("div", { class: "pad ready" }, READY.map(([name, says, set]) =>
      h("button", { type: "button", "data-key": name, onclick: () => put(ctx, { rules: set }, `${name}: ${count(set.length, "rule")} in force.`) }, h("b", {}, name), h("span", {}, says))))),
    card("Requests seen", h("div", { class: "pad row" }, Object.entries(faults.requests ?? {}).map(([step, n]) => h("span", { class: "badge" }, `${step} ${n}`)))));
  },
};
