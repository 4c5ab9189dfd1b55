// directory.js - users, their recycle bin, groups.
import { h, replace, head, card, table, badge, button, ago, toast, confirm, count } from "./dom.js";
import { editor } from "./form.js";
import * as fields from "./fields.js";
import * as api from "./api.js";

// Do, say it, look again.
export async function act(ctx, deed, said) {
  try {
    await deed();
    toast(said);
  } catch (e) {
    toast(e.message, "bad");
  }
  ctx.refresh();
}

function editUser(ctx, u) {
  editor({
    title: u ? `Edit ${u.name ?? u.upn}` : "Add a user", object: u, fields: fields.users(), action: u ? "Save" : "Add",
    save: async (body) => {
      const o = u ? await api.patch(api.path(ctx.tenant, "users", u.id), body) : await api.post(api.path(ctx.tenant, "users"), body);
      ctx.refresh();
      return `${o.upn} is ${u ? "saved" : "added"}.`;
    },
  });
}

function userActs(ctx, u) {
  const at = api.path(ctx.tenant, "users", u.id), off = u.enabled === false;
  return [
    button("Edit", () => editUser(ctx, u), "quiet", { "data-key": `edit-${u.id}` }),
    button(off ? "Enable" : "Disable", () => act(ctx, () => api.patch(at, { enabled: off }), `${u.upn} is ${off ? "enabled" : "disabled"}.`), "quiet", { "data-key": `off-${u.id}` }),
    button("Delete", () => confirm(`Delete ${u.upn}?`, "The user goes to the recycle bin, from where it can be restored. Intune revokes nothing because of this.", "Delete", async () => {
      await api.del(at);
      toast(`${u.upn} is in the recycle bin.`);
      ctx.refresh();
    }), "quiet danger", { "data-key": `del-${u.id}` }),
  ];
}

function binActs(ctx, u) {
  return [
    button("Restore", () => act(ctx, () => api.post(api.path(ctx.tenant, "deleted", u.id, "restore")), `${u.upn} is back.`), "quiet", { "data-key": `res-${u.id}` }),
    button("Delete for good", () => confirm(`Delete ${u.upn} for good?`, "It leaves the recycle bin and cannot be restored.", "Delete for good", async () => {
      await api.del(`${api.path(ctx.tenant, "users", u.id)}?permanent=true`);
      toast(`${u.upn} is gone.`);
      ctx.refresh();
    }), "quiet danger", { "data-key": `gone-${u.id}` }),
  ];
}

const userName = (u) => [h("span", {}, u.name ?? u.upn), u.name && h("span", { class: "sub" }, u.upn)];

export const users = {
  frame(ctx, changed) {
    ctx.filters = { text: "" };
    const body = h("div", {});
    const search = h("input", { type: "search", placeholder: "Search name, UPN, department", "aria-label": "Search users", oninput: (e) => { ctx.filters.text = e.target.value; changed(); } });
    return { body, e: [head("Users", "Who owns devices, and whose names stand in certificates of users.", button("Add user", () => editUser(ctx, null), "main")), h("div", { class: "filters" }, search), body] };
  },
  async load(ctx) {
    const [list, bin] = await Promise.all([api.list(ctx.tenant, "users"), api.list(ctx.tenant, "deleted")]);
    return { list, bin };
  },
  draw(e, { list, bin }, ctx) {
    const text = ctx.filters.text.trim().toLowerCase();
    const rows = list.filter((u) => !text || [u.upn, u.name, u.department, u.email, u.id].some((v) => v?.toLowerCase().includes(text)));
    replace(e, card(null, table([["Name", userName], ["Mail", (u) => u.email], ["Department", (u) => u.department],
      ["Account", (u) => [badge(u.enabled === false ? "disabled" : "enabled"), u.risk_level && u.risk_level !== "none" && [" ", badge(u.risk_level, `risk: ${u.risk_level}`)]]],
      ["On premises", (u) => (u.on_prem_sid ? "synchronised" : "no")], ["Actions", (u) => userActs(ctx, u), "acts"]], rows, list.length ? "No user is like that." : "No users yet.")),
    bin.length > 0 && card([h("h2", {}, "Recycle bin"), h("span", { class: "dim" }, count(bin.length, "user"))],
      table([["Name", userName], ["Deleted", (u) => ago(u.deleted)], ["Actions", (u) => binActs(ctx, u), "acts"]], bin, "")));
  },
};

// ---- groups ----

function editGroup(ctx, g) {
  editor({
    title: g ? `Rename ${g.name}` : "Add a group", object: g, fields: fields.groups(), action: g ? "Save" : "Add",
    save: async (body) => {
      const o = g ? await api.patch(api.path(ctx.tenant, "groups", g.id), body) : await api.post(api.path(ctx.tenant, "groups"), { users: [], devices: [], ...body });
      ctx.refresh();
      return `${o.name} is ${g ? "saved" : "added"}.`;
    },
  });
}

const assigned = (g, profiles) => profiles.filter((p) => p.groups.some((name) => name.toLowerCase() === g.name.toLowerCase()));
const profileLinks = (list) => (list.length ? list.map((p, i) => [i > 0 && ", ", h("a", { href: `#/profiles/${p.id}` }, p.name)]) : "none");

export const groups = {
  frame(ctx) {
    const body = h("div", {});
    return { body, e: [head("Groups", "Profiles are assigned to groups. “All users” and “All devices” are in every tenant and need not be made.", button("Add group", () => editGroup(ctx, null), "main")), body] };
  },
  async load(ctx) {
    const [list, profiles] = await Promise.all([api.list(ctx.tenant, "groups"), api.list(ctx.tenant, "profiles")]);
    return { list, profiles };
  },
  draw(e, { list, profiles }) {
    replace(e, card(null, table([["Name", (g) => h("a", { href: `#/groups/${g.id}`, "data-key": g.id }, g.name)], ["Users", (g) => g.users.length], ["Devices", (g) => g.devices.length],
      ["SCEP profiles", (g) => h("span", {}, profileLinks(assigned(g, profiles)))]], list, "No groups yet.")));
  },
};

function memberCard(ctx, g, key, title, everybody) {
  const others = everybody.filter((name) => !g[key].includes(name));
  const select = h("select", { "aria-label": `Add to ${g.name}`, "data-key": `pick-${key}` }, others.map((name) => h("option", {}, name)));
  const at = api.path(ctx.tenant, "groups", g.id, "members");
  const put = () => act(ctx, () => api.post(at, { [key]: [select.value] }), `${select.value} is in ${g.name}.`);
  const take = (name) => confirm(`Take ${name} out of ${g.name}?`, "If a profile is assigned through no other group, the certificate is queued for revocation.", "Take out", async () => {
    await api.del(at, { [key]: [name] });
    toast(`${name} is out of ${g.name}.`);
    ctx.refresh();
  });
  return card([h("h2", {}, title), others.length > 0 && [select, button("Add", put, "", { "data-key": `add-${key}` })]],
    table([["Name", (name) => name], ["Actions", (name) => button("Take out", () => take(name), "quiet danger", { "data-key": `out-${name}`, "aria-label": `Take out ${name}` }), "acts"]], g[key], "None."));
}

export const group = {
  async load(ctx) {
    const [g, users, devices, profiles] = await Promise.all([api.get(api.path(ctx.tenant, "groups", ctx.arg)), api.list(ctx.tenant, "users"), api.list(ctx.tenant, "devices"), api.list(ctx.tenant, "profiles")]);
    return { g, users: users.map((u) => u.upn), devices: devices.map((d) => d.name), profiles: assigned(g, profiles) };
  },
  draw(e, { g, users, devices, profiles }, ctx) {
    const remove = () => confirm(`Delete ${g.name}?`, "Profiles lose this assignment; Intune revokes nothing because of a deleted group.", "Delete", async () => {
      await api.del(api.path(ctx.tenant, "groups", g.id));
      toast(`${g.name} is deleted.`);
      location.hash = "#/groups";
    });
    replace(e, h("div", { class: "crumb" }, h("a", { href: "#/groups" }, "Groups")),
      head(g.name, null, button("Rename", () => editGroup(ctx, g)), button("Delete", remove, "danger")),
      h("p", {}, "SCEP profiles: ", profileLinks(profiles)),
      h("div", { class: "cols" }, memberCard(ctx, g, "users", "Users", users), memberCard(ctx, g, "devices", "Devices", devices)));
  },
};
