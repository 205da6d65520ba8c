// Run by `helm test` in the server's image: every check is one line, and all are made before the verdict.
import { readFileSync } from 'node:fs';

const url = process.env.SERVER_URL;
const token = readFileSync(process.env.TOKEN_FILE, 'utf8').split('\n')[0].trim();

async function post(method, authorization) {
  const response = await fetch(`${url}/mcp`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...(authorization && { authorization }),
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method,
      params: {
        protocolVersion: '2025-11-25',
        capabilities: {},
        clientInfo: { name: 'helm-test', version: '1' },
      },
    }),
    signal: AbortSignal.timeout(20_000),
  });
  return { status: response.status, body: await response.text() };
}

const checks = {
  'the server is ready': async () => {
    const response = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(20_000) });
    return response.status === 200 || `GET /readyz answered ${response.status}: ${await response.text()}`;
  },
  'a call without a token is refused': async () => {
    const { status } = await post('initialize');
    return status === 401 || `POST /mcp without a token answered ${status}`;
  },
  'a call with a wrong token is refused': async () => {
    const { status } = await post('initialize', `Bearer ${'x'.repeat(64)}`);
    return status === 401 || `POST /mcp with a wrong token answered ${status}`;
  },
  'a call with the token is answered': async () => {
    const { status, body } = await post('initialize', `Bearer ${token}`);
    return (status === 200 && body.includes('"serverInfo"')) || `initialize answered ${status}: ${body.slice(0, 300)}`;
  },
};

let failed = 0;
for (const [name, check] of Object.entries(checks)) {
  const outcome = await check().catch((error) => `${error.message}${error.cause ? `: ${error.cause.message}` : ''}`);
  console.log(`${outcome === true ? 'ok  ' : 'FAIL'}  ${name}${outcome === true ? '' : `: ${outcome}`}`);
  if (outcome !== true) failed += 1;
}
process.exit(failed === 0 ? 0 : 1);
