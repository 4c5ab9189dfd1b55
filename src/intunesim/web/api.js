// api.js - the control API (docs/intunesim-api.md).

export class ApiError extends Error {
  constructor(message, status) {
    super(message);
    this.status = status; // 0: nobody answered
  }
}

const PATIENCE = { GET: 10000, POST: 120000, PATCH: 30000, PUT: 30000, DELETE: 30000 }; // ms; a sync enrols

async function ask(method, target, body) {
  const request = { method, cache: "no-store", headers: {}, signal: AbortSignal.timeout(PATIENCE[method]) };
  if (body !== undefined) {
    request.headers["Content-Type"] = "application/json";
    request.body = JSON.stringify(body);
  } else if (method === "POST") {
    request.headers["Content-Type"] = "application/json";
  }
  let reply, text;
  try {
    reply = await fetch(target, request);
    text = await reply.text();
  } catch (e) {
    throw new ApiError(e.name === "TimeoutError" ? "the simulator took too long to answer" : "the simulator cannot be reached", 0);
  }
  let data = null;
  try {
    data = text === "" ? null : JSON.parse(text);
  } catch {
    data = null;
  }
  if (!reply.ok) throw new ApiError(typeof data?.error === "string" ? data.error : `the simulator answered ${reply.status}`, reply.status);
  return data;
}

export const get = (target) => ask("GET", target);
export const post = (target, body) => ask("POST", target, body);
export const patch = (target, body) => ask("PATCH", target, body);
export const put = (target, body) => ask("PUT", target, body);
export const del = (target, body) => ask("DELETE", target, body);

// path("contoso.com", "users", id): each part is one segment.
export const path = (...parts) => "/sim/tenants/" + parts.map(encodeURIComponent).join("/");

export const list = async (tenant, kind) => (await get(path(tenant, kind))).value;
