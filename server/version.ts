/** Version of this program: in MCP's serverInfo, in revisions and in the User-Agent. A test holds it to package.json. */
export const version = '0.1.0';
