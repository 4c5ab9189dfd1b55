// app.js - the frame: sections, tenant, and asking again.
import { h, replace, button, toast, count, plain, clock } from "./dom.js";
import * as api from "./api.js";
import { overview } from "./overview.js";
import { devices, device } from "./devices.js";
import { users, groups, group } from "./directory.js";
import { profiles, profile } from "./profiles.js";
import { apps } from "./apps.js";
import { certificates, revocations } from "./certificates.js";
import { requests } from "./requests.js";
import { baddays } from "./baddays.js";

/*
 * A view: title; load(ctx) -> data; draw(e, data, ctx), called when the data has changed;
 * frame(ctx) -> { e, body }: what stays around it, such as filters.
 */
const SECTIONS = [
  [null, [["overview", "Overview", overview]]],
  ["Tenant", [["devices", "Devices", devices, device], ["users", "Users", users], ["groups", "Groups", groups, group],
    ["profiles", "Profiles", profiles, profile], ["apps", "Apps", apps]]],
  ["Certificates", [["certificates", "Certificates", certificates], ["revocations", "Revocations", revocations]]],
  ["Rehearsal", [["requests", "Requests", requests], ["baddays", "Bad days", baddays]]],
];
const PAGES = SECTIONS.flatMap(([, pages]) => pages);
const EVERY = 2000, SLOWEST = 30000; // ms
const SHARE = 4; // of the time, at most the fourth part is spent on asking: a large tenant is asked for more seldom

const $ = (id) => document.getElementById(id);
const ctx = { tenant: null, tenants: [], arg: null, filters: {}, refresh: () => tick(true) };
let view = null, shown = null, body = null, turn = 0, timer = null, failures = 0;

function route() {
  const [name, ...rest] = location.hash.replace(/^#\/?/, "").split("/");
  const page = PAGES.find(([key]) => key === name) ?? PAGES[0];
  let arg = null;
  try {
    arg = rest.length && rest[0] !== "" ? decodeURIComponent(rest.join("/")) : null;
  } catch {
    arg = null;
  }
  return { key: page[0], title: page[1], view: arg !== null && page[3] ? page[3] : page[2], arg };
}

function drawNav(current) {
  const t = ctx.tenants.find((x) => x.id === ctx.tenant);
  const number = (key) => t && typeof t[key] === "number" && h("span", { class: "n" }, t[key]);
  const says = JSON.stringify([current, t]);
  if ($("nav").dataset.says === says) return;
  $("nav").dataset.says = says;
  replace($("nav"), SECTIONS.map(([part, pages]) => [part && h("div", { class: "part" }, part), pages.map(([key, title]) =>
    h("a", { href: `#/${key}`, "aria-current": key === current ? "page" : null, "data-key": key }, title, number(key)))]));
}

function drawTenants() {
  const select = $("tenant");
  if (!ctx.tenants.some((t) => t.id === ctx.tenant)) ctx.tenant = ctx.tenants[0]?.id ?? null;
  const wanted = ctx.tenants.map((t) => h("option", { value: t.id }, t.name || t.domains[0]));
  if (select.options.length !== wanted.length || [...select.options].some((o, i) => o.value !== wanted[i].value || o.text !== wanted[i].text))
    replace(select, wanted);
  select.value = ctx.tenant;
}

function drawBanner(faults) {
  const n = faults.rules.length, hits = faults.rules.reduce((sum, r) => sum + (r.hits ?? 0), 0);
  const text = n === 0 ? "" : JSON.stringify([n, hits]);
  if ($("banner").dataset.says === text) return;
  $("banner").dataset.says = text;
  replace($("banner"), n > 0 && [
    h("span", {}, h("b", {}, "A bad day is on. "), `${count(n, "rule")}, ${count(hits, "request")} hit so far.`),
    h("a", { href: "#/baddays" }, "Show"),
    button("Clear all", async () => {
      try {
        await api.del("/sim/faults");
        toast("All is well again.");
      } catch (e) {
        toast(e.message, "bad");
      }
      ctx.refresh();
    })]);
}

function drawClock(answer) {
  clock.ahead = Date.parse(answer.now) - Date.now();
  if (Math.abs(clock.ahead) < 2000) clock.ahead = 0;
  $("clock").textContent = answer.offset.replace("-", "") === "0s" ? "" : `clock moved by ${answer.offset}`;
}

function link(kind, text) {
  $("link").className = `link ${kind}`;
  if ($("link").textContent !== text) $("link").textContent = text;
}

async function load() {
  const mine = turn;
  const [tenants, faults, time] = await Promise.all([api.get("/sim/tenants"), api.get("/sim/faults"), api.get("/sim/clock")]);
  ctx.tenants = tenants.tenants;
  ctx.scepUrls = tenants.scepUrls;
  ctx.faults = faults;
  drawTenants();
  drawBanner(faults);
  ctx.time = time;
  drawClock(time);
  let data;
  try {
    data = await view.load(ctx);
  } catch (e) {
    if (e.status !== 404) throw e;
    data = { missing: e.message };
  }
  if (mine !== turn) return;
  drawNav(route().key);
  const text = JSON.stringify([data, ctx.filters, Math.floor(Date.now() / 30000)]);
  if (text === shown) return;
  shown = text;
  if (data.missing) replace(body, h("div", { class: "empty" }, `${data.missing[0].toUpperCase()}${data.missing.slice(1)}.`));
  else view.draw(body, data, ctx);
}

async function tick(force) {
  clearTimeout(timer);
  if (document.hidden && !force) return;
  const began = Date.now();
  try {
    await load();
    failures = 0;
    link("live", "live");
  } catch (e) {
    failures++;
    link("lost", e.status === 0 ? "no answer" : e.message);
    if (shown === null) replace(body, h("div", { class: "empty" }, plain(e.message)));
  }
  clearTimeout(timer);
  timer = setTimeout(tick, Math.min(Math.max(EVERY * 2 ** failures, SHARE * (Date.now() - began)), SLOWEST));
}

function go() {
  const to = route();
  turn++;
  view = to.view;
  ctx.arg = to.arg;
  ctx.filters = {};
  shown = null;
  document.title = `${to.arg ?? to.title} · intunesim`;
  const frame = view.frame?.(ctx, () => tick(true)) ?? (() => { const e = h("div", {}); return { e, body: e }; })();
  body = frame.body;
  replace(body, h("div", { class: "empty" }, "Asking the simulator …"));
  replace($("main"), frame.e);
  $("nav").classList.remove("open");
  $("menu").setAttribute("aria-expanded", "false");
  drawNav(to.key);
  tick(true);
}

$("tenant").addEventListener("change", (event) => {
  ctx.tenant = event.target.value;
  if (route().arg !== null) location.hash = `#/${route().key}`;
  else go();
});
$("menu").addEventListener("click", () => {
  $("menu").setAttribute("aria-expanded", String($("nav").classList.toggle("open")));
});
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  $("main").focus();
});
document.addEventListener("visibilitychange", () => { if (!document.hidden) tick(true); });
window.addEventListener("hashchange", () => { go(); window.scrollTo(0, 0); });
go();
