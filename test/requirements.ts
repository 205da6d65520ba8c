/** One rule that the server promises, and the tests that would fail without it: file and the title as it stands there. */
export interface Requirement {
  readonly rule: string;
  readonly proofs: readonly (readonly [file: string, title: string])[];
}

const app = 'test/server/app.test.ts';
const tokens = 'test/server/auth/token-file.test.ts';
const oidc = 'test/server/auth/oidc.test.ts';
const outage = 'test/server/auth/issuer-outage.test.ts';
const discovery = 'test/server/auth/discovery.test.ts';
const cli = 'test/cli/identity.test.ts';
const eras = 'test/server/mcp/eras.test.ts';
const pins = 'test/server/mcp/pins.test.ts';
const wire = 'test/server/mcp/wire-errors.test.ts';
const conformance = 'test/conformance/conformance.test.ts';
const input = 'test/server/mcp/input.test.ts';
const streaming = 'test/server/mcp/streaming.test.ts';
const shutdown = 'test/server/shutdown.test.ts';
const tools = 'test/server/tools/suite-tools.ts';
const manifests = 'test/server/tools/manifests.test.ts';
const audit = 'test/server/telemetry/audit.test.ts';

/** What the server must keep, by a stable id. `test/requirements.test.ts` finds a rule whose proof is gone. */
export const requirements: Readonly<Record<string, Requirement>> = {
  'mcp.both-eras': {
    rule: 'One path serves 2026-07-28 and 2025-11-25 with the same tools and results.',
    proofs: [
      [pins, 'tools/list is pinned, the same in both eras, and the same bytes each time'],
      [eras, 'a result is structured content and the same JSON as text'],
    ],
  },
  'mcp.stateless': {
    rule: 'No session state: any replica answers any call.',
    proofs: [
      [eras, 'needs no session: a fresh connection to another replica answers the next call'],
      [app, 'with a token the methods of sessions are 405: there are none'],
    ],
  },
  'mcp.strict-input': {
    rule: 'Unknown, hostile and oversized arguments are invalid_input results with all faults.',
    proofs: [
      [eras, 'unknown arguments are our invalid_input, with all faults, not a protocol error'],
      [input, 'nesting, number of values and prototype keys are bounded before anything recurses'],
      [input, 'any JSON whatever is either accepted or answered with invalid_input'],
    ],
  },
  'mcp.pinned': {
    rule: 'Everything that a client sees is pinned.',
    proofs: [
      [pins, 'server/discover and initialize are pinned'],
      [pins, 'the shapes of errors are pinned'],
      [wire, 'are pinned: status, headers and JSON-RPC error of every way to be refused, in both eras'],
    ],
  },
  'mcp.conformance': {
    rule: 'The official conformance suite passes in both eras but for what is listed with a reason; the list only shrinks.',
    proofs: [
      [conformance, 'ran exactly the scenarios that it lists'],
      [conformance, 'has every scenario whose failure is expected'],
      ['test/conformance/judge.test.ts', 'has a fault where a scenario %s'],
      [wire, 'parameters that do not fit are never an internal error, protocol %s'],
    ],
  },
  'mcp.tool-data': {
    rule: 'Every tool has a title, four annotations, a short description, a plain strict input with described fields.',
    proofs: [
      [pins, 'every tool of the interface is listed, with a title, four annotations and a description under 2 KiB'],
      [
        pins,
        'every input is a plain strict object with a description on each field; every destructive tool has dry_run',
      ],
    ],
  },
  'mcp.first-byte': {
    rule: 'A call that may last is an event stream that says something in time, progress token or not.',
    proofs: [[streaming, 'is an event stream whose first byte comes before the result, without a progress token']],
  },
  'mcp.cancel': {
    rule: 'A caller that goes away ends the work.',
    proofs: [[streaming, 'ends its work when the caller goes away']],
  },
  'mcp.budget': {
    rule: 'A reply has at most 50 000 characters, then a cursor.',
    proofs: [
      [eras, 'a rendering too long for one reply comes in pages within the budget'],
      [
        'test/server/tools/page.test.ts',
        'a page stays within the budget even where limit would allow more, but always goes on',
      ],
    ],
  },
  'auth.first': {
    rule: 'Authentication is judged before method and body, for every method, with WWW-Authenticate.',
    proofs: [[app, '%s is a 401 for every method, before anything of the request is judged']],
  },
  'auth.token-checks': {
    rule: 'A token of the issuer lets in only if every check of it holds; each has a test that fails without it.',
    proofs: [
      [oidc, 'with %s are refused'],
      [oidc, 'clocks may be 30 seconds apart, in both directions'],
      [oidc, 'an allow-list lets only its clients in, by azp; without azp nobody'],
      [oidc, 'a changed payload, a foreign key and a cut signature are refused'],
      [oidc, 'never none, and never an HMAC whose secret is the public key'],
      [oidc, 'a key that the token itself brings along, or points to, is never used'],
      ['test/server/auth/claims.test.ts', 'an e-mail whose email_verified is %s counts for nothing'],
    ],
  },
  'auth.issuer-away': {
    rule: 'Keys are kept through an outage; a server that starts without its issuer serves bearer callers.',
    proofs: [
      [outage, 'are kept while the issuer is away, for hours'],
      [outage, 'that nobody knows are asked for once in 30 seconds, whatever is sent'],
      [outage, 'are not taken from %s'],
      [discovery, 'starts, serves bearer callers, answers others with 503 and Retry-After, and needs no restart'],
    ],
  },
  'auth.discovery': {
    rule: 'A client that knows only the URL finds the issuer; without OIDC or a public URL it is told nothing.',
    proofs: [
      [discovery, 'describes the resource at both paths, to everybody'],
      [discovery, 'tells on each 401 where to find that, and an error only where credentials were sent'],
      [
        discovery,
        'asks for the scopes of a tool with 403, so that a client can come back with them and keep the others',
      ],
      [discovery, 'without a public URL tells nothing of the issuer: 404, and no resource_metadata'],
      [
        'test/server/oidc/first-contact.keycloak.test.ts',
        'comes from the first 401 to a result and to a new token, exactly as docs/first-contact.md tells it',
      ],
    ],
  },
  'cli.untrusted-project': {
    rule: 'A cloned repository gets no credential before the user says yes, and sets no token path or secret.',
    proofs: [
      [cli, 'a project may not set %s'],
      [cli, 'nothing goes to an endpoint that a project names until the user has said yes, once'],
      [cli, 'stored tokens are bound to the origin of the endpoint and to the issuer'],
    ],
  },
  'auth.rotation': {
    rule: 'Tokens rotate without a restart, two live values at most, 32 characters at least.',
    proofs: [
      [tokens, 'rotates without a restart: two live values for a while, then only the new one'],
      [tokens, 'content that cannot be used closes the door until it is mended, and no fault holds a token'],
      [app, 'a rotated token works without a restart, the old one until it is withdrawn'],
    ],
  },
  'auth.origin': {
    rule: 'Pages of other sites and rebound hosts are refused.',
    proofs: [
      [app, 'a page of another site is refused with 403, token or not'],
      ['test/server/auth/origin.test.ts', 'refused: %s'],
    ],
  },
  'auth.limits': {
    rule: 'Body, calls of a principal and failed attempts of an address are limited, in bounded memory.',
    proofs: [
      [app, 'a body over 4 MiB is a 413 with a JSON error, also where its length is not announced'],
      [app, 'calls of one principal are limited with 429 and Retry-After'],
      [app, 'wrong tokens of one address are limited; a valid one still passes, and asking without one is no attempt'],
      [
        'test/server/auth/rate-limit.test.ts',
        'remembers a bounded number of keys, the one unused for longest goes first',
      ],
    ],
  },
  'audit.one-record': {
    rule: 'Each call leaves exactly one audit record, refused ones too.',
    proofs: [
      [eras, 'each call leaves exactly one audit record'],
      [audit, 'are one JSON line each, whatever is in them'],
    ],
  },
  'secrets.canary': {
    rule: 'No Secret value or token is in any result, log line, digest or audit record.',
    proofs: [
      [eras, 'a canary in Secrets comes back in no result, log line or audit record'],
      [input, 'an error repeats no value of secrets, files, workflow or input'],
      [audit, 'Secret values have no influence on the digest, so it cannot be used to guess them; their names have'],
      [app, 'no token reaches a log line'],
    ],
  },
  'drain.nothing-lost': {
    rule: 'SIGTERM loses no request that was accepted.',
    proofs: [
      [shutdown, 'every request that was accepted is answered, then nobody is let in'],
      [shutdown, 'what would wait for longer than there is time is told so, not cut off'],
    ],
  },
  'enclave.foreign': {
    rule: 'A namespace that is not ours is refused in every tool, like one that does not exist.',
    proofs: [[tools, '%s %j on a namespace that is not ours is not_found, like one that does not exist']],
  },
  'authz.row-for-each-tool': {
    rule: 'Every tool has a row in the table of operations.',
    proofs: [
      ['test/server/authz/decide.test.ts', 'every tool has a row in the table of operations, and every row a tool'],
    ],
  },
  'authz.frozen': {
    rule: 'A frozen enclave refuses every apply.',
    proofs: [[tools, 'a frozen enclave refuses every apply, and reads and removal go on']],
  },
  'apply.manifests-policy': {
    rule: 'Manifests as input are held to what our own renderer writes.',
    proofs: [
      [manifests, '%s is a policy_violation that names the object and the field'],
      [manifests, 'no field of the set can be changed, removed or added to without a refusal that names it'],
      [tools, 'what cdk8s synth renders is applied as manifests, and is the same revision as its source'],
    ],
  },
  'untrusted.clean': {
    rule: 'Text of others is cleaned, capped and hides no neighbour.',
    proofs: [
      [
        'test/server/tools/untrusted.test.ts',
        'is never longer than its limit, well-formed, and free of what is hidden',
      ],
      [tools, 'hostile annotations are cleaned, and hide no neighbour'],
    ],
  },
  'runs.outlive': {
    rule: 'Summaries of runs outlive engine and server, without outputs.',
    proofs: [
      [tools, 'summaries of runs are kept beside the tentacle, meet by compare-and-swap, and go with it'],
      [
        'test/server/tools/run-record.test.ts',
        'holds no outputs, and what others wrote into it is cleaned or left out',
      ],
    ],
  },
  'config.all-faults': {
    rule: 'Configuration is checked at the start, all faults at once.',
    proofs: [['test/server/config.test.ts', 'all faults are told at once']],
  },
};
