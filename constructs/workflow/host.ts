import { type Cidr, contains, formatAddress, parseCidr, parseIp } from '../model/ip.ts';

/** What kind of target a contract's `host` is: it decides the egress rule. */
export type HostKind =
  | { readonly kind: 'cluster'; readonly service: string; readonly namespace: string }
  | { readonly kind: 'public' }
  | { readonly kind: 'address'; readonly address: Cidr };

/** What a host may be, in words for error messages. */
export const hostRule =
  'a lower-case DNS name (api.example.com), a Service (<service>.<namespace>.svc), or an IPv4 or IPv6 address; no scheme, port, path or wildcard';

const label = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;

// Two labels may be `<service>.<namespace>` or a registered domain. They are a domain where the second is a
// country code or one of these; otherwise a Service. The long form (<service>.<namespace>.svc) is never in doubt.
const publicSuffixes = new Set(
  `academy aero agency amazon apple app art asia auction audio auto aws azure band bank bar beer best bike bio biz
  blog blue boutique build builders business cafe camera camp capital care careers cash casino cat center chat
  church city cleaning click clinic cloud club codes coffee com community company computer construction consulting
  contact coop cooking cool credit cyou date dating delivery dental design dev digital direct directory doctor
  domains download earth edu education email energy engineer engineering enterprises equipment estate events
  exchange expert express farm fashion film finance financial fit fitness flights florist food foundation fun fund
  furniture fyi gallery game games garden gift global gmbh gold golf google gov graphics green group guide guru
  health healthcare help holdings holiday homes host hosting house icu immo inc industries info ink institute
  insurance insure int international investments jobs kim kitchen land law lawyer lease legal life lighting limited
  link live llc loan loans lol love ltd management market marketing mba media meme men microsoft mil mobi moda moe
  money monster movie museum name net network new news ngo ninja nyc one online org page partners parts party pet
  photo photography photos pics pink pizza place plus poker post press pro productions properties property pub
  quest red rehab rent rentals repair report rest restaurant review reviews rocks run sale salon sbs school science
  services sex sexy shoes shop show singles site ski skin soccer social software solar solutions space sport store
  stream studio study style supplies supply support surgery systems tattoo tax taxi team tech technology tel tennis
  theater tips tires today tools top tours town toys trade training travel tube university vacations ventures vet
  video villas vin vip vision vote voyage watch webcam website wedding wiki win wine work works world wtf xxx xyz
  yoga zip zone`.split(/\s+/),
);

function isPublicSuffix(text: string): boolean {
  return /^[a-z]{2}$/.test(text) || text.startsWith('xn--') || publicSuffixes.has(text);
}

function isDnsName(text: string): boolean {
  if (text.length > 253) return false;
  const labels = text.split('.');
  // A last label of digits or 0x is an IPv4 address in disguise (URL standard): 2852039166, 0xa9fea9fe, 169.254.43518.
  const last = labels.at(-1) ?? '';
  return !/^(?:\d+|0x[0-9a-f]*)$/.test(last) && labels.every((part) => part.length <= 63 && label.test(part));
}

export type HostResult =
  | { readonly host: string; readonly target: HostKind; readonly fault?: never }
  | { readonly fault: { readonly message: string; readonly hint?: string } };

const refusedRanges: readonly (readonly [string, string])[] = [
  ['169.254.0.0/16', 'is link-local (cloud metadata lives there)'],
  ['fe80::/10', 'is link-local'],
  ['127.0.0.0/8', 'is the pod itself'],
  ['::1/128', 'is the pod itself'],
  ['0.0.0.0/8', 'is no host'],
  ['::/96', 'is no host'],
  ['::ffff:0:0/96', 'is an IPv4 address in IPv6 form'],
  // By way of a translator they reach any IPv4 address, also the ones refused above.
  ['64:ff9b::/96', 'is an IPv4 address in IPv6 form'],
  ['64:ff9b:1::/48', 'is an IPv4 address in IPv6 form'],
  ['2002::/16', 'is an IPv4 address in IPv6 form'],
  ['fd00:ec2::254/128', 'is the cloud metadata service'],
  ['224.0.0.0/3', 'is no single host'],
  ['ff00::/8', 'is no single host'],
];

/** The ranges that no contract may reach, each with the reason. */
export const refusedCidrs: readonly { readonly cidr: Cidr; readonly reason: string }[] = refusedRanges.flatMap(
  ([text, reason]) => {
    const cidr = parseCidr(text);
    return cidr ? [{ cidr, reason }] : [];
  },
);

/** Reads a contract's `host`: a canonical name and what kind of target it is, or why it is refused. */
export function parseHost(text: string): HostResult {
  const bare = text.startsWith('[') && text.endsWith(']') ? text.slice(1, -1) : text;
  const address = parseIp(bare);
  if (address) {
    const refused = refusedCidrs.find(({ cidr }) => contains(cidr, address));
    if (refused) return { fault: { message: refused.reason } };
    return { host: formatAddress(address), target: { kind: 'address', address } };
  }
  if (!isDnsName(text)) return { fault: { message: 'is no host name' } };
  const labels = text.split('.');
  if (text === 'localhost' || text.endsWith('.localhost')) {
    return { fault: { message: 'is the pod itself', hint: 'declare a sidecar instead; nodes reach it on localhost' } };
  }
  const stripped = text.replace(/\.svc\.cluster\.local$/, '.svc');
  const [service = '', namespace = ''] = labels;
  if (
    service === 'kubernetes' &&
    namespace === 'default' &&
    (stripped === 'kubernetes.default.svc' || labels.length === 2)
  ) {
    return { fault: { message: 'is the Kubernetes API server, which nodes may not reach' } };
  }
  if (stripped.endsWith('.svc')) {
    const parts = stripped.split('.').slice(0, -1);
    // `<pod>.<service>.<namespace>.svc` names one pod of a headless Service.
    const cluster = { kind: 'cluster', service: parts.at(-2) ?? '', namespace: parts.at(-1) ?? '' } as const;
    if (parts.length < 2 || parts.length > 3) {
      return { fault: { message: 'is no complete Service name', hint: 'write <service>.<namespace>.svc' } };
    }
    return { host: text, target: cluster };
  }
  if (labels.length === 1) {
    return { fault: { message: 'is a name without a domain', hint: `for a Service write ${text}.<namespace>.svc` } };
  }
  if (text === 'metadata.google.internal') return { fault: { message: 'is the cloud metadata service' } };
  if (labels.length === 2 && !isPublicSuffix(namespace))
    return { host: text, target: { kind: 'cluster', service, namespace } };
  return { host: text, target: { kind: 'public' } };
}
