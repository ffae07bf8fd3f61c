// Requests to the API; an answer that is an error becomes a Refused with its field.

export class Refused extends Error {
  constructor(status, detail, field) {
    super(detail);
    this.status = status;
    this.field = field;
  }
}

// Set by app.js: what to do once the login has ended, and when a server behind this one is away
// (with its words) or is back (with none).
export const session = { ended: () => {}, away: () => {} };

const away = new Map();

function tell(path, problem) {
  if (problem) away.set(path, problem);
  else if (!away.delete(path)) return;
  session.away([...away.values()].at(-1) || "");
}

// Another page asks for other things: what the last one missed is no longer of interest.
export function forgetAway() {
  away.clear();
  session.away("");
}

async function ask(method, path, body) {
  const options = { method, headers: {} };
  if (body instanceof FormData) {
    options.body = body;
  } else if (body !== undefined) {
    options.body = JSON.stringify(body);
    options.headers["content-type"] = "application/json";
  }
  let answer;
  try {
    answer = await fetch(path, options);
  } catch {
    const problem = "The server does not answer. Is it running?";
    tell(path, problem);
    throw new Refused(0, problem, null);
  }
  const isJson = (answer.headers.get("content-type") || "").startsWith("application/json");
  const data = isJson ? await answer.json() : null;
  tell(path, answer.status === 503 ? data?.detail : null);
  if (answer.ok) return data;
  if (answer.status === 401 && path !== "/login") session.ended();
  throw new Refused(answer.status, data?.detail || `HTTP ${answer.status}`, data?.field);
}

export const get = (path, query = {}) => {
  const given = Object.entries(query).filter(([, value]) => value !== "" && value != null);
  const text = new URLSearchParams(given).toString();
  return ask("GET", text ? `${path}?${text}` : path);
};

export const post = (path, body) => ask("POST", path, body);
