// apps.js - app registrations.
import { h, replace, head, card, badge, button, facts, toast, confirm, copyLine, day, clock } from "./dom.js";
import { editor } from "./form.js";
import * as fields from "./fields.js";
import * as api from "./api.js";
import { act } from "./directory.js";

const SOON = 30 * 86400 * 1000; // ms

function edit(ctx, a) {
  editor({
    title: a ? `Edit ${a.name || a.id}` : "Add an app", object: a, fields: fields.apps(), action: a ? "Save" : "Add",
    intro: h("p", { class: "dim" }, "A secret is shown by its last three characters only, and kept as long as its row is here."),
    save: async (body) => {
      const o = a ? await api.patch(api.path(ctx.tenant, "apps", a.id), body) : await api.post(api.path(ctx.tenant, "apps"), body);
      ctx.refresh();
      return `${o.name || o.id} is ${a ? "saved" : "added"}.`;
    },
  });
}

function life(expires) {
  if (!expires) return badge("valid", "never expires");
  const left = Date.parse(expires) - clock.now();
  return [badge(left <= 0 ? "expired" : left < SOON ? "expiring" : "valid", left <= 0 ? "expired" : "expires"), " ", day(expires)];
}

function one(ctx, a) {
  const at = api.path(ctx.tenant, "apps", a.id), off = a.enabled === false;
  const remove = () => confirm(`Delete ${a.name || a.id}?`, "Whoever uses this app gets no tokens any more; those it has stay good until they expire.", "Delete", async () => {
    await api.del(at);
    toast(`${a.name || a.id} is deleted.`);
    ctx.refresh();
  });
  const key = (word) => ({ "data-key": `${word}-${a.id}` });
  return card([h("h2", {}, a.name || a.id, " ", off && badge("disabled")), button("Edit", () => edit(ctx, a), "quiet", key("e")),
    button(off ? "Enable" : "Disable", () => act(ctx, () => api.patch(at, { enabled: off }), `${a.name || a.id} is ${off ? "enabled" : "disabled"}.`), "quiet", key("o")), button("Delete", remove, "quiet danger", key("x"))],
  h("div", { class: "pad" }, facts([["Application id", copyLine(a.id)],
    ["Permissions", a.permissions.length ? a.permissions.map((p) => [badge(p, p), " "]) : badge("failed", "none: tokens are granted and open nothing")],
    ["Client secrets", a.secrets.length ? a.secrets.map((s) => h("div", {}, h("code", {}, `…${s.hint}`), " ", life(s.expires))) : "none"],
    ["Certificates", a.certificates?.length ? `${a.certificates.length}` : null],
    ["Federated credentials", a.federated_credentials?.length ? a.federated_credentials.map((f) => h("div", {}, f.issuer)) : null],
    ["Managed identity", a.managed_identity ? "yes" : null]])));
}

export const apps = {
  frame(ctx) {
    const body = h("div", { class: "cols" });
    return { body, e: [head("Apps", "Who may ask Entra for tokens, and what the tokens open.", button("Add app", () => edit(ctx, null), "main")), body] };
  },
  load: (ctx) => api.list(ctx.tenant, "apps"),
  draw(e, list, ctx) {
    replace(e, list.length ? list.map((a) => one(ctx, a)) : h("div", { class: "empty" }, "No apps yet."));
  },
};
