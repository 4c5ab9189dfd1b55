// devices.js - the list of devices, one of them, and what an administrator does to it.
import { h, replace, head, card, table, badge, revocationBadge, button, ago, day, plain, facts, toast, confirm, copyLine, count } from "./dom.js";
import { editor } from "./form.js";
import * as fields from "./fields.js";
import * as api from "./api.js";

const link = (d) => h("a", { href: `#/devices/${encodeURIComponent(d.id)}`, "data-key": `d-${d.id}` }, d.name);
const state = (d) => (d.managed === false ? badge("none", "not managed") : badge(d.management_state ?? "managed"));

const NUMBERS = [["enrolled", "enrolled"], ["renewed", "renewed"], ["refused", "refused"], ["failed", "failed"], ["removed", "removed"], ["notDelivered", "not delivered"]];
function syncWords(name, r) {
  if (r.gone) return `${name} has done what it was told and is gone from Intune.`;
  const said = NUMBERS.filter(([key]) => r[key] > 0).map(([key, word]) => `${r[key]} ${word}`);
  return `${name} synced: ${said.length ? said.join(", ") : "nothing to do"}.${r.error ? ` ${r.error}` : ""}`;
}
async function sync(ctx, d, event) {
  const b = event.currentTarget;
  b.disabled = true;
  b.textContent = "Syncing …";
  try {
    const r = await api.post(api.path(ctx.tenant, "devices", d.id, "sync"));
    toast(syncWords(d.name, r ?? {}), r?.refused || r?.failed || r?.error ? "bad" : "");
  } catch (e) {
    toast(`${d.name}: ${e.message}`, "bad");
  }
  b.disabled = false;
  b.textContent = "Sync";
  ctx.refresh();
}

async function edit(ctx, d) {
  const users = await api.list(ctx.tenant, "users");
  editor({
    title: d ? `Edit ${d.name}` : "Add a device", object: d, fields: fields.devices({ users }), action: d ? "Save" : "Add",
    intro: !d && h("p", { class: "dim" }, "It is in the group All devices; others get it on their own page. A value that is missing here is missing in certificates: profiles that use it are not delivered."),
    save: async (body) => {
      const o = d ? await api.patch(api.path(ctx.tenant, "devices", d.id), body) : await api.post(api.path(ctx.tenant, "devices"), body);
      ctx.refresh();
      return d ? `${o.name} is saved.` : `${o.name} is added.`;
    },
  });
}

// One after the other: a CA in a rehearsal is seldom a large one.
async function syncAll(ctx, event) {
  const b = event.currentTarget, sum = {};
  b.disabled = true;
  try {
    const list = (await api.list(ctx.tenant, "devices")).filter((d) => d.managed !== false);
    for (const [i, d] of list.entries()) {
      if (!b.isConnected) return;
      b.textContent = `Syncing ${i + 1} of ${list.length} …`;
      try {
        const r = await api.post(api.path(ctx.tenant, "devices", d.id, "sync"));
        for (const [key] of NUMBERS) sum[key] = (sum[key] ?? 0) + (r[key] ?? 0);
      } catch (e) {
        if (e.status === 0) throw e;
        sum.failed = (sum.failed ?? 0) + 1;
      }
    }
    toast(syncWords(count(list.length, "device"), sum), sum.refused || sum.failed ? "bad" : "");
  } catch (e) {
    toast(e.message, "bad");
  }
  b.disabled = false;
  b.textContent = "Sync all";
  ctx.refresh();
}

export const devices = {
  frame(ctx, changed) {
    ctx.filters = { text: "", platform: "" };
    const body = h("div", { class: "card" });
    const search = h("input", { type: "search", placeholder: "Search name, user, serial, id", "aria-label": "Search devices", oninput: (e) => { ctx.filters.text = e.target.value; changed(); } });
    const platform = h("select", { "aria-label": "Platform", onchange: (e) => { ctx.filters.platform = e.target.value; changed(); } },
      h("option", { value: "" }, "All platforms"), ["windows", "ios", "macos", "android"].map((p) => h("option", { value: p }, plain(p))));
    return { body, e: [head("Devices", "Sync makes a device check in now: it asks for what is due, enrols at the CA and reports. The simulator plays its part.", button("Sync all", (ev) => syncAll(ctx, ev)), button("Add device", () => edit(ctx, null).catch((e) => toast(e.message, "bad")), "main")), h("div", { class: "filters" }, search, platform), body] };
  },
  async load(ctx) {
    const [list, report] = await Promise.all([api.list(ctx.tenant, "devices"), api.get("/sim/report")]);
    return { list, deployments: report.deployments.filter((d) => d.targeted).map(({ deviceId, status }) => ({ deviceId, status })) };
  },
  draw(e, { list, deployments }, ctx) {
    const text = ctx.filters.text.trim().toLowerCase();
    const fits = (d) => (!ctx.filters.platform || d.platform === ctx.filters.platform) &&
      (!text || [d.name, d.user, d.serial, d.id, d.entra_id].some((v) => v?.toLowerCase().includes(text)));
    const statuses = (d) => deployments.filter((x) => x.deviceId === d.id).map((x) => x.status.split(":")[0]);
    const rows = list.filter(fits);
    replace(e, table([
      ["Name", (d) => [link(d), d.serial && h("span", { class: "sub" }, d.serial)]], ["Platform", (d) => plain(d.platform)], ["User", (d) => d.user],
      ["Compliance", (d) => badge(d.compliance ?? "compliant")], ["State", (d) => [state(d), d.enabled === false && badge("disabled")]],
      ["Profiles", (d) => { const s = [...new Set(statuses(d))]; return s.length ? s.map((x) => [badge(x), " "]) : "none"; }],
      ["Last sync", (d) => (d.last_sync ? ago(d.last_sync) : "never")],
      ["Actions", (d) => d.managed !== false && button("Sync", (ev) => sync(ctx, d, ev), "quiet", { "data-key": `sync-${d.id}`, "aria-label": `Sync ${d.name}` }), "acts"],
    ], rows, list.length ? "No device is like that." : "No devices yet."));
  },
};

// ---- one device ----

function deeds(ctx, d) {
  const at = (...more) => api.path(ctx.tenant, "devices", d.id, ...more);
  const ask = (word, kind, text, done, deed) => button(word, () => confirm(`${word} ${d.name}?`, text, word, async () => {
    await deed();
    toast(done);
    ctx.refresh();
  }), kind);
  const toggle = async () => {
    try {
      await api.patch(at(), { enabled: d.enabled === false });
      toast(`${d.name} is ${d.enabled === false ? "enabled" : "disabled"} in Entra.`);
    } catch (e) {
      toast(e.message, "bad");
    }
    ctx.refresh();
  };
  const managed = d.managed !== false;
  return [
    managed && button("Sync", (event) => sync(ctx, d, event), "main"),
    button("Edit", () => edit(ctx, d).catch((e) => toast(e.message, "bad"))),
    button(d.enabled === false ? "Enable" : "Disable", toggle),
    managed && ask("Retire", "danger", "At its next sync the device takes company data and certificates off and leaves Intune. Its certificates are queued for revocation.", `${d.name} retires at its next sync.`, () => api.post(at("retire"))),
    managed && ask("Wipe", "danger", "At its next sync the device is set back to factory settings and leaves Intune. Its certificates are queued for revocation.", `${d.name} is wiped at its next sync.`, () => api.post(at("wipe"))),
    managed && ask("Unenrol", "danger", "As if the user removed the management profile: the device leaves Intune at once, and its certificates are queued for revocation.", `${d.name} has left Intune.`, () => api.post(at("unenrol"))),
    ask("Delete", "danger", "The device is deleted from Intune and from Entra. Nothing is revoked by this.", `${d.name} is deleted.`, async () => {
      await api.del(at());
      location.hash = "#/devices";
    }),
  ];
}

const WORDS = [["user", "Primary user"], ["serial", "Serial number"], ["imei", "IMEI"], ["meid", "MEID"], ["wifi_mac", "Wi-Fi MAC"], ["fqdn", "Fully qualified name"],
  ["os_version", "System"], ["on_prem_sid", "SID"], ["ownership", "Owner"], ["registration", "Registration"], ["trust", "Join"]];

export const device = {
  async load(ctx) {
    const [d, report, revocations, groups] = await Promise.all([api.get(api.path(ctx.tenant, "devices", ctx.arg)), api.get("/sim/report"), api.get("/sim/revocations"), api.list(ctx.tenant, "groups")]);
    const its = (x) => x.deviceId === d.id;
    return { d, deployments: report.deployments.filter(its), certificates: report.certificates.filter(its).reverse(),
      queued: revocations.value.filter(its), groups: groups.filter((g) => g.devices.includes(d.name)).map(({ id, name }) => ({ id, name })) };
  },
  draw(e, { d, deployments, certificates, queued, groups }, ctx) {
    const revoked = (c) => queued.find((r) => r.thumbprint === c.thumbprint);
    replace(e, h("div", { class: "crumb" }, h("a", { href: "#/devices" }, "Devices")),
      head(d.name, `${plain(d.platform)}${d.enrollment && d.enrollment !== "default" ? `, ${plain(d.enrollment)}` : ""}`, deeds(ctx, d)),
      card([h("h2", {}, "Profiles"), h("span", { class: "dim" }, count(deployments.length, "deployment"))], table([
        ["Profile", (x) => h("a", { href: `#/profiles/${encodeURIComponent(x.profileId)}` }, x.profile)],
        ["Status", (x) => [badge(x.status, plain(x.status)), !x.targeted && [" ", badge("none", "no longer assigned")]]],
        ["Refusals", (x) => x.refusals || "none"], ["Last error", (x) => x.lastError], ["Since", (x) => (x.changed ? ago(x.changed) : "–")],
      ], deployments, "No SCEP profile is assigned to this device or its user.")),
      card([h("h2", {}, "Certificates"), h("span", { class: "dim" }, `${certificates.length} reported by the CA`)], table([
        ["Subject", (c) => [c.subject || "(empty)", h("span", { class: "sub" }, c.profile)]], ["Serial", (c) => h("span", { class: "mono" }, c.serialNumber), "mono"],
        ["Until", (c) => day(c.expires)], ["Issuer", (c) => c.issuer], ["State", (c) => (revoked(c) ? revocationBadge(revoked(c)) : badge("valid"))],
      ], certificates, "None yet.")),
      h("div", { class: "cols" },
        card("State", h("div", { class: "pad" }, facts([["Management", state(d)], ["Compliance", badge(d.compliance ?? "compliant")], ["In Entra", badge(d.enabled === false ? "disabled" : "enabled")],
          ["Last sync", d.last_sync ? ago(d.last_sync) : "never"], ["Enrolled", d.enrolled && ago(d.enrolled)],
          ["Groups", groups.length ? groups.map((g, i) => [i > 0 && ", ", h("a", { href: `#/groups/${g.id}` }, g.name)]) : "All devices only"]]))),
        card("Properties", h("div", { class: "pad" }, facts([["Intune id", copyLine(d.id)], ["Entra device id", d.entra_id && copyLine(d.entra_id)], ["Object id", d.object_id && copyLine(d.object_id)],
          ...WORDS.map(([key, word]) => [word, d[key] === "default" ? null : d[key]])])))));
  },
};
