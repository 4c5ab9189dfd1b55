// profiles.js - SCEP profiles and trusted roots.
import { h, replace, head, card, table, badge, button, plain, facts, toast, confirm, copyLine, ago } from "./dom.js";
import { editor } from "./form.js";
import * as fields from "./fields.js";
import * as api from "./api.js";

const groupsOf = (ctx) => api.list(ctx.tenant, "groups");
const failed = (e) => toast(e.message, "bad");

// What an edit does to certificates that devices have.
function consequence(rows) {
  return (body) => {
    const again = rows.filter((f) => f.reissues && f.key in body);
    const away = "groups" in body;
    return [again.length > 0 && h("p", { class: "note" }, `Changed: ${again.map((f) => f.label.toLowerCase()).join(", ")}. Devices get another certificate at their next sync, and those they have are queued for revocation.`),
      away && h("p", { class: "note" }, "Devices that are no longer assigned lose the certificate: it is queued for revocation.")];
  };
}

async function editProfile(ctx, p, copy) {
  const [groups, roots] = await Promise.all([groupsOf(ctx), api.list(ctx.tenant, "roots")]);
  const rows = fields.profiles({ groups, roots });
  const root = roots.find((r) => r.platform === "windows") ?? roots[0];
  editor({
    title: p ? `Edit ${p.name}` : "Add a SCEP profile", object: p, fields: rows, action: p ? "Save" : "Add", warn: consequence(rows),
    preset: copy ?? { root: root?.name, platform: root?.platform, subject: "CN={{DeviceName}}", san: [{ type: "uri", value: "IntuneDeviceId://{{DeviceId}}" }] },
    save: async (body) => {
      const o = p ? await api.patch(api.path(ctx.tenant, "profiles", p.id), body) : await api.post(api.path(ctx.tenant, "profiles"), body);
      ctx.refresh();
      return `${o.name} is ${p ? "saved" : "added"}.`;
    },
  });
}

async function editRoot(ctx, r) {
  editor({
    title: r ? `Edit ${r.name}` : "Add a trusted root", object: r, fields: fields.roots({ groups: await groupsOf(ctx) }), action: r ? "Save" : "Add", preset: { groups: ["All devices"] },
    save: async (body) => {
      const o = r ? await api.patch(api.path(ctx.tenant, "roots", r.id), body) : await api.post(api.path(ctx.tenant, "roots"), body);
      ctx.refresh();
      return `${o.name} is ${r ? "saved" : "added"}.`;
    },
  });
}

const removeRoot = (ctx, r) => confirm(`Delete ${r.name}?`, "Devices get this certificate no more. A root that a SCEP profile needs cannot be deleted.", "Delete", async () => {
  await api.del(api.path(ctx.tenant, "roots", r.id));
  toast(`${r.name} is deleted.`);
  ctx.refresh();
});

const names = (list) => (list.length ? list.join(", ") : badge("none", "nobody"));

export const profiles = {
  frame(ctx) {
    const body = h("div", {});
    return { body, e: [head("Profiles", "What Intune sends to devices: the root they are to trust, and how they are to ask for a certificate.",
      button("Add trusted root", () => editRoot(ctx, null).catch(failed)), button("Add SCEP profile", () => editProfile(ctx, null).catch(failed), "main")), body] };
  },
  async load(ctx) {
    const [list, roots, report] = await Promise.all([api.list(ctx.tenant, "profiles"), api.list(ctx.tenant, "roots"), api.get("/sim/report")]);
    return { list, roots, deployments: report.deployments.filter((d) => d.targeted).map(({ profileId, status }) => ({ profileId, status })) };
  },
  draw(e, { list, roots, deployments }, ctx) {
    const has = (p) => deployments.filter((d) => d.profileId === p.id);
    const done = (p) => has(p).filter((d) => ["issued", "installed"].includes(d.status)).length;
    replace(e, card("SCEP profiles", table([
      ["Name", (p) => [h("a", { href: `#/profiles/${p.id}`, "data-key": p.id }, p.name), h("span", { class: "sub mono" }, p.subject || "(no subject)")]],
      ["Platform", (p) => plain(p.platform)], ["Of the", (p) => p.certificate_type], ["Assigned to", (p) => names(p.groups)],
      ["Certificates", (p) => `${done(p)} of ${has(p).length}`],
      ["Actions", (p) => button("Edit", () => editProfile(ctx, p).catch(failed), "quiet", { "data-key": `e-${p.id}` }), "acts"],
    ], list, "No SCEP profiles yet.")),
    card("Trusted roots", table([
      ["Name", (r) => r.name], ["Platform", (r) => plain(r.platform)], ["Thumbprint", (r) => (r.thumbprint ? h("span", { class: "mono" }, r.thumbprint) : badge("failed", "no certificate"))],
      ["Assigned to", (r) => names(r.groups)],
      ["Actions", (r) => [button("Edit", () => editRoot(ctx, r).catch(failed), "quiet", { "data-key": `e-${r.id}` }), button("Delete", () => removeRoot(ctx, r), "quiet danger", { "data-key": `x-${r.id}` })], "acts"],
    ], roots, "No trusted roots yet.")));
  },
};

const SHOWN = [["platform", "Platform", plain], ["certificate_type", "Certificate of the"], ["subject", "Subject"], ["san", "Alternative names", (san) => (san.length ? san.map((s) => h("div", {}, `${s.type}: ${s.value}`)) : "none")],
  ["eku", "Extended key usage", (x) => x.join(", ") || "none"], ["key_usage", "Key usage", (x) => x.join(", ")], ["validity", "Validity", (v) => `${v.units} ${v.period}`],
  ["key_size", "Key size"], ["hash", "Hash"], ["ksp", "Where the key is", plain], ["renewal_threshold", "Renews at", (n) => `${n} % of the life left`],
  ["root", "Trusted root"], ["ca_thumbprint", "Thumbprint of the CA"]];

export const profile = {
  async load(ctx) {
    const [p, report] = await Promise.all([api.get(api.path(ctx.tenant, "profiles", ctx.arg)), api.get("/sim/report")]);
    return { p, deployments: report.deployments.filter((d) => d.profileId === p.id) };
  },
  draw(e, { p, deployments }, ctx) {
    const remove = () => confirm(`Delete ${p.name}?`, "It is no longer assigned to anybody: the certificates that devices have by it are queued for revocation.", "Delete", async () => {
      await api.del(api.path(ctx.tenant, "profiles", p.id));
      toast(`${p.name} is deleted.`);
      location.hash = "#/profiles";
    });
    const { id, name, ...copy } = p;
    replace(e, h("div", { class: "crumb" }, h("a", { href: "#/profiles" }, "Profiles")),
      head(p.name, null, button("Edit", () => editProfile(ctx, p).catch(failed), "main"), button("Copy", () => editProfile(ctx, null, { ...copy, groups: [], name: `${name} (copy)` }).catch(failed)), button("Delete", remove, "danger")),
      card("Devices", table([["Device", (d) => h("a", { href: `#/devices/${d.deviceId}` }, d.device)], ["User", (d) => d.user], ["Status", (d) => badge(d.status, plain(d.status))],
        ["Last error", (d) => d.lastError], ["Since", (d) => (d.changed ? ago(d.changed) : "–")]], deployments, "It is assigned to no device.")),
      h("div", { class: "cols" }, card("What devices are told", h("div", { class: "pad" }, facts(SHOWN.map(([key, word, show]) => [word, p[key] === undefined || p[key] === "" ? null : show ? show(p[key]) : p[key]])))),
        card("Where", h("div", { class: "pad" }, facts([["Profile id", copyLine(id)], ["Assigned to", names(p.groups)], ["SCEP servers", p.scep_urls.map((u) => copyLine(u))]])))));
  },
};
