// overview.js - how things stand, and what a CA has to be told.
import { h, replace, head, card, badge, button, ago, plain, copyLine, copyButton, facts } from "./dom.js";
import { editor } from "./form.js";
import * as api from "./api.js";

const LATELY = 14;
const STATUSES = ["installed", "issued", "validated", "challengeIssued", "pending", "refused", "failed"];

// What is known with a time, newest first.
function events(report, revocations) {
  const list = [];
  for (const d of report.deployments) {
    if (d.changed && d.status !== "pending") {
      list.push([d.changed, [deviceLink(d), " · ", d.profile, " ", badge(d.status, plain(d.status))]]);
    }
  }
  for (const r of revocations) {
    list.push([r.queued, [deviceLink(r), " · ", r.profile, " ", badge("queued", "revocation queued")]]);
    if (r.result) list.push([r.result.when, [deviceLink(r), " · ", r.profile, " ", r.result.succeeded ? badge("good", "revoked") : badge("failed", "revocation failed")]]);
  }
  return list.sort((a, b) => (a[0] < b[0] ? 1 : -1)).slice(0, LATELY);
}
const deviceLink = (d) => h("a", { href: `#/devices/${encodeURIComponent(d.deviceId)}` }, d.device);

const ours = (tenant, list) => list.filter((x) => tenant.domains.includes(x.tenant) || x.tenant === tenant.id);

function tiles(deployments, certificates, waiting) {
  const n = (status) => deployments.filter((d) => d.targeted && d.status.split(":")[0] === status).length;
  const tile = (number, text, href) => h("a", { class: `tile${number === 0 ? " none" : ""}`, href }, h("b", {}, number), h("span", {}, text));
  return h("div", { class: "tiles" }, STATUSES.map((s) => tile(n(s), plain(s), "#/devices")),
    tile(certificates, "certificates", "#/certificates"), tile(waiting, "to be revoked", "#/revocations"));
}

function properties(tenant, app) {
  return [`AAD_APP_ID=${app?.id ?? "<application id>"}`, "AAD_APP_KEY=<a client secret of the app>", `TENANT=${tenant.domains[0]}`,
    `AUTH_AUTHORITY=${location.origin}/`, `MS_GRAPH_RESOURCE_URL=${location.origin}/`].join("\n");
}

function addresses(tenant, apps, profiles, instead) {
  const app = apps.find((a) => a.enabled && a.permissions.includes("scep_challenge_provider"));
  const urls = instead.length ? instead : [...new Set(profiles.flatMap((p) => p.scep_urls))];
  return card([h("h2", {}, "Connect a CA"), copyButton(properties(tenant, app), "Copy as properties")], h("div", { class: "pad" }, facts([
    ["AUTH_AUTHORITY", copyLine(`${location.origin}/`)], ["MS_GRAPH_RESOURCE_URL", copyLine(`${location.origin}/`)],
    ["TENANT", copyLine(tenant.domains[0])], ["AAD_APP_ID", app && copyLine(app.id)],
    ["AAD_APP_KEY", app && ["one of the secrets of ", h("a", { href: "#/apps" }, app.name || app.id)]],
    [instead.length ? "SCEP URL of devices" : "SCEP URL of the profiles", urls.length > 0 && urls.map((u) => copyLine(u))],
  ]), app ? null : h("p", { class: "note" }, "No app has the permission scep_challenge_provider: a CA cannot validate requests. ", h("a", { href: "#/apps" }, "Apps"))));
}

function about(tenant) {
  return card("Tenant", h("div", { class: "pad" }, facts([["Name", tenant.name], ["Tenant id", copyLine(tenant.id)],
    ["Domains", tenant.domains.join(", ")],
    ["Intune licence", tenant.intune ? "yes" : badge("failed", "none: discovery lists no SCEP service")],
    ["For programs", [h("a", { href: "/sim/report" }, "report"), " · ", h("a", { href: "/sim/report.txt" }, "as text")]]])));
}

// Days pass at once, so that certificates get due for renewal.
function moveClock(ctx, time) {
  editor({
    title: "Move the clock", action: "Set", object: { offset: time.offset },
    fields: [{ key: "offset", label: "Ahead of the real time", type: "text", required: true, example: "300d", help: "2h, 30d; behind it with a minus sign; 0s: the real time" }],
    intro: h("p", { class: "dim" }, "For tokens, challenges, secrets that expire and devices that renew. The CA keeps its own time."),
    save: async ({ offset }) => {
      if (offset !== undefined) await api.put("/sim/clock", { offset });
      ctx.refresh();
      return "The clock is set.";
    },
  });
}

function clockCard(ctx, time) {
  return card([h("h2", {}, "Clock"), button("Move the clock", () => moveClock(ctx, time), "quiet")], h("div", { class: "pad" }, facts([
    ["It is", h("time", { datetime: time.now }, time.now.replace("T", " ").replace("Z", " UTC"))],
    ["Moved by", time.offset.replace("-", "") === "0s" ? "nothing" : badge("expiring", time.offset)]])));
}

export const overview = {
  async load(ctx) {
    const [report, revocations, apps, profiles] = await Promise.all([api.get("/sim/report"), api.get("/sim/revocations"),
      api.list(ctx.tenant, "apps"), api.list(ctx.tenant, "profiles")]);
    const tenant = ctx.tenants.find((t) => t.id === ctx.tenant);
    return { tenant, scepUrls: ctx.scepUrls, time: { offset: ctx.time.offset, now: ctx.time.now.slice(0, 16) + "Z" }, apps, profiles, deployments: ours(tenant, report.deployments), revocations: ours(tenant, revocations.value), certificates: ours(tenant, report.certificates).length, summary: report.summary };
  },
  draw(e, { tenant, scepUrls, time, apps, profiles, deployments, revocations, certificates, summary }, ctx) {
    const lately = events({ deployments }, revocations);
    replace(e, head(tenant.name || tenant.domains[0], "What Entra and Intune would show of this tenant, kept up to date."),
      tiles(deployments, certificates, revocations.filter((r) => !r.result).length),
      h("div", { class: "cols" },
        h("div", {}, card([h("h2", {}, "Lately"), h("span", { class: "dim" }, `validateRequest: ${summary.validateRequestSuccess} passed, ${summary.validateRequestRefused} refused`)],
          lately.length ? h("ul", { class: "feed" }, lately.map(([when, what]) => h("li", {}, ago(when), h("div", {}, what))))
            : h("div", { class: "empty" }, "Nothing yet. ", h("a", { href: "#/devices" }, "Sync a device"), " to make it enrol.")), clockCard(ctx, time)),
        h("div", {}, addresses(tenant, apps, profiles, scepUrls), about(tenant))));
  },
};
