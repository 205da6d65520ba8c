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

/** Writes down everything that goes through `watched`, between the chapters. */
export function createRecorder() {
  const entries: Entry[] = [];
  const watched: typeof fetch = async (input, init) => {
    const request = new Request(input, init);
    const requestBody = await request.clone().text();
    const response = await fetch(request);
    // The client of a stream reads what is left over by this: it is given a copy of the whole.
    const responseBody = await response.text();
    entries.push({
      kind: 'exchange',
      method: request.method,
      url: request.url,
      requestHeaders: request.headers,
      requestBody,
      status: response.status,
      responseHeaders: response.headers,
      responseBody,
    });
    const { status, statusText, headers } = response;
    return new Response(responseBody === '' ? null : responseBody, { status, statusText, headers });
  };
  return {
    entries,
    watched,
    chapter: (title: string, text: string) => entries.push({ kind: 'chapter', title, text }),
    show: (text: string, value: URL | object) => entries.push({ kind: 'shown', text, value }),
  };
}
