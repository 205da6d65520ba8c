/** Where a walk through pages ended: at an address outside the issuer (the redirect URI), or at a page without a form. */
export interface Arrival {
  readonly url: URL;
  /** Text of the page; empty where the address was not fetched. */
  readonly page: string;
  /** Titles of the pages on the way, on which something had to be filled in or allowed. */
  readonly asked: readonly string[];
}

/** Longest walk: login, consent, and the redirects between them. */
const maxSteps = 20;

/**
 * A person with a browser, as far as logging in goes: follows redirects with cookies, fills the login form with the
 * name and password, says yes to a consent page, and stops where the issuer sends it away.
 */
export function createPerson(credentials: { readonly username: string; readonly password: string }) {
  const cookies = new Map<string, string>();

  async function request(url: URL, form?: URLSearchParams): Promise<Response> {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(url, {
      redirect: 'manual',
      headers: { cookie, accept: 'text/html' },
      ...(form === undefined ? {} : { method: 'POST', body: form }),
    });
    for (const line of response.headers.getSetCookie()) {
      const [pair = ''] = line.split(';');
      const [name = '', ...value] = pair.split('=');
      if (/max-age=0/i.test(line)) cookies.delete(name);
      else cookies.set(name, value.join('='));
    }
    return response;
  }

  return async function visit(start: URL | string): Promise<Arrival> {
    let url = new URL(start);
    let form: URLSearchParams | undefined;
    const { origin } = url;
    let logins = 0;
    const asked: string[] = [];
    for (let step = 0; step < maxSteps; step += 1) {
      if (url.origin !== origin) return { url, page: '', asked };
      const response = await request(url, form);
      const location = response.headers.get('location');
      const page = await response.text();
      if (location !== null) {
        url = new URL(location, url);
        form = undefined;
        continue;
      }
      const next = formOf(page, url);
      if (next === undefined) return { url, page, asked };
      asked.push(titleOf(page));
      if (next.fields.has('username') || next.page.includes('name="password"')) {
        logins += 1;
        if (logins > 1) throw new Error(`the login was refused: ${textOf(page)}`);
        next.fields.set('username', credentials.username);
        next.fields.set('password', credentials.password);
      } else {
        next.fields.delete('cancel');
        next.fields.set('accept', 'Yes');
      }
      url = next.action;
      form = next.fields;
    }
    throw new Error(`no end after ${maxSteps} pages, at ${url.href}`);
  };
}

/** The first form that is posted, with the values that stand in it. */
function formOf(page: string, base: URL) {
  const form = /<form[^>]*method="post"[^>]*>[\s\S]*?<\/form>/i.exec(page)?.[0];
  const action = /\baction="([^"]*)"/i.exec(form ?? '')?.[1];
  if (form === undefined || action === undefined) return undefined;
  const fields = new URLSearchParams();
  for (const [tag] of form.matchAll(/<input[^>]*>/gi)) {
    const name = /\bname="([^"]*)"/.exec(tag)?.[1];
    if (name) fields.set(name, unescapeHtml(/\bvalue="([^"]*)"/.exec(tag)?.[1] ?? ''));
  }
  return { action: new URL(unescapeHtml(action), base), fields, page: form };
}

function unescapeHtml(text: string): string {
  return text
    .replace(/&amp;/g, '&')
    .replace(/&quot;/g, '"')
    .replace(/&#39;/g, "'")
    .replace(/&#x2f;/gi, '/');
}

function titleOf(page: string): string {
  return textOf(/id="kc-page-title"[^>]*>([\s\S]*?)<\/h1>/.exec(page)?.[1] ?? '').trim();
}

function textOf(page: string): string {
  return page
    .replace(/<(script|style)[\s\S]*?<\/\1>/gi, '')
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ')
    .slice(0, 500);
}
