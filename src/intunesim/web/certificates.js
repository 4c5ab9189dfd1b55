// certificates.js - certificates that the CA has told of, and those to be revoked.
import { h, replace, head, card, table, badge, revocationBadge, button, ago, day, toast, confirm, plain, clock } from "./dom.js";
import * as api from "./api.js";

const device = (x) => h("a", { href: `#/devices/${encodeURIComponent(x.deviceId)}` }, x.device);
const ours = (ctx) => {
  const t = ctx.tenants.find((x) => x.id === ctx.tenant);
  return (x) => t.domains.includes(x.tenant) || x.tenant === t.id;
};
const search = (ctx, changed, what) => h("input", { type: "search", placeholder: "Search device, subject, serial, thumbprint", "aria-label": what, oninput: (e) => { ctx.filters.text = e.target.value; changed(); } });
const found = (ctx) => {
  const text = ctx.filters.text.trim().toLowerCase();
  return (c) => !text || [c.device, c.subject, c.serialNumber, c.thumbprint, c.profile].some((v) => v?.toLowerCase().includes(text));
};

const CLOSED = "A revocation is a request: it stands in the queue until the CA has fetched it and told the result.";

function revoke(ctx, c) {
  confirm("Revoke this certificate?", [h("span", {}, `${c.subject || "(empty subject)"} of ${c.device}, serial `), h("code", {}, c.serialNumber), ". ", CLOSED], "Revoke", async () => {
    await api.post("/sim/revocations", c.thumbprint ? { thumbprint: c.thumbprint } : { serialNumber: c.serialNumber });
    toast("The revocation is queued.");
    ctx.refresh();
  });
}

function state(c, queued) {
  const r = queued.find((x) => x.thumbprint === c.thumbprint && x.serialNumber === c.serialNumber);
  if (r) return revocationBadge(r);
  return Date.parse(c.expires) < clock.now() ? badge("expired") : badge("valid");
}

export const certificates = {
  frame(ctx, changed) {
    ctx.filters = { text: "" };
    const body = h("div", {});
    return { body, e: [head("Certificates", "What the CA has reported by successNotification, as it said it, newest first."), h("div", { class: "filters" }, search(ctx, changed, "Search certificates")), body] };
  },
  async load(ctx) {
    const [report, revocations] = await Promise.all([api.get("/sim/report"), api.get("/sim/revocations")]);
    return { list: report.certificates.filter(ours(ctx)).reverse(), queued: revocations.value.map(({ thumbprint, serialNumber, status }) => ({ thumbprint, serialNumber, status })) };
  },
  draw(e, { list, queued }, ctx) {
    const rows = list.filter(found(ctx));
    const open = (c) => !queued.some((r) => r.thumbprint === c.thumbprint && r.serialNumber === c.serialNumber);
    replace(e, card(null, table([
      ["Device", (c) => [device(c), h("span", { class: "sub" }, c.profile)]], ["Subject", (c) => [h("span", {}, c.subject || "(empty)"), h("span", { class: "sub" }, `by ${c.issuer}`)]],
      ["Serial, thumbprint", (c) => [h("span", {}, c.serialNumber), h("span", { class: "sub" }, c.thumbprint)], "mono"], ["Until", (c) => day(c.expires)], ["State", (c) => state(c, queued)],
      ["Actions", (c) => open(c) && button("Revoke", () => revoke(ctx, c), "quiet danger", { "data-key": c.thumbprint }), "acts"],
    ], rows, list.length ? "No certificate is like that." : "None yet: the CA reports what it has issued.")));
  },
};

const CAUSES = { wipe: "the device was wiped", retire: "the device was retired", unenrol: "the device was unenrolled", leftGroup: "out of the group",
  unassigned: "the profile was unassigned", profileChanged: "the profile was changed", administrator: "an administrator" };

export const revocations = {
  frame(ctx, changed) {
    ctx.filters = { text: "" };
    const body = h("div", {});
    return { body, e: [head("Revocations", `What the CA is to revoke. ${CLOSED}`), h("div", { class: "filters" }, search(ctx, changed, "Search revocations")), body] };
  },
  load: async (ctx) => (await api.get("/sim/revocations")).value.filter(ours(ctx)).reverse(),
  draw(e, list, ctx) {
    const rows = list.filter(found(ctx));
    const result = (r) => (!r.result ? "waiting" : r.result.succeeded ? [badge("revoked"), " ", ago(r.result.when)]
      : [badge("failed"), h("span", { class: "sub" }, `${r.result.errorCode ?? ""} ${r.result.errorMessage ?? ""}`)]);
    replace(e, card(null, table([
      ["Device", (r) => [device(r), h("span", { class: "sub" }, r.profile)]], ["Subject", (r) => [h("span", {}, r.subject || "(empty)"), h("span", { class: "sub" }, `by ${r.issuerName}`)]], ["Serial", (r) => h("span", {}, r.serialNumber), "mono"],
      ["Cause", (r) => CAUSES[r.cause] ?? plain(r.cause)], ["Queued", (r) => ago(r.queued)], ["Downloads", (r) => r.downloads], ["Result", result],
    ], rows, list.length ? "No revocation is like that." : "Nothing is to be revoked.")));
  },
};
