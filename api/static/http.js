// Requests to the API; an answer that is an error becomes a Refused with its field.

export class Refused extends Error {
  constructor(status, detail, field) {
    super(detail);
    this.status = status;
    this.field = field;
  }
}

// Set by app.js: what to do once the login has ended.
export const session = { ended: () => {} };

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
    throw new Refused(0, "The server does not answer. Is it running?", null);
  }
  const isJson = (answer.headers.get("content-type") || "").startsWith("application/json");
  const data = isJson ? await answer.json() : null;
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
