/** One HTTP request of a client and its answer, as they were on the wire. */
export interface Exchange {
  readonly kind: 'exchange';
  readonly method: string;
  readonly url: string;
  readonly requestHeaders: Headers;
  readonly requestBody: string;
  readonly status: number;
  readonly responseHeaders: Headers;
  readonly responseBody: string;
}

/** A heading of the story, and what it says. */
export interface Chapter {
  readonly kind: 'chapter';
  readonly title: string;
  readonly text: string;
}

/** Something that is shown as it is: an address, or the inside of a token. */
export interface Shown {
  readonly kind: 'shown';
  readonly text: string;
  readonly value: URL | object;
}

export type Entry = Exchange | Chapter | Shown;

/** Writes down everything that goes through `watched`, between the chapters, in the order in which it was asked. */
export function createRecorder() {
  const entries: (Entry | Promise<Entry>)[] = [];

  async function record(request: Request): Promise<Exchange> {
    const requestBody = await request.clone().text();
    const response = await fetch(request);
    return {
      kind: 'exchange',
      method: request.method,
      url: request.url,
      requestHeaders: request.headers,
      requestBody,
      status: response.status,
      responseHeaders: response.headers,
      responseBody: await response.text(),
    };
  }

  const watched: typeof fetch = async (input, init) => {
    // Before anything is waited for: two requests may be on their way at once.
    const recorded = record(new Request(input, init));
    entries.push(recorded);
    const { status, responseHeaders: headers, responseBody } = await recorded;
    return new Response(responseBody === '' ? null : responseBody, { status, headers });
  };
  return {
    watched,
    chapter: (title: string, text: string) => entries.push({ kind: 'chapter', title, text }),
    show: (text: string, value: URL | object) => entries.push({ kind: 'shown', text, value }),
    /** All of it, once every answer is there. */
    entries: () => Promise.all(entries),
  };
}
