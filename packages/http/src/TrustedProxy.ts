/**
 * Who a request really comes from, as told by proxies that are trusted: address, scheme, host.
 *
 * When to reach for it: behind a load balancer, or a proxy that speaks TLS. It stands outside of what looks at the
 * address or the scheme: `RateLimit`, `Csrf`, `SecurityHeaders`.
 * What it is not: a look at what any client says of itself. A field counts as far as trusted proxies wrote it. Domains
 * are found before, by the host that was sent; the access log and the limits of connections know the proxy.
 *
 * Effect's `HttpMiddleware.xForwardedHeaders` knows neither UNIX sockets nor `Forwarded` (RFC 7239), and ignores a
 * scheme that a proxy sets without a list. Kore has none (§22.3).
 */
import * as Effect from "effect/Effect"
import { identity } from "effect/Function"
import * as IpNetwork from "effect/net/IpNetwork"
import * as NetAddress from "effect/net/NetAddress"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import { Headers, HttpServerRequest } from "./internal/effectHttp.ts"
import * as Middleware from "./Middleware.ts"
import type { ServerRequest } from "./Request.ts"

/** A field that proxies write. */
export type Field = "x-forwarded-for" | "x-forwarded-proto" | "x-forwarded-host" | "forwarded"

/** Whom to believe, and what. */
export interface Options {
  /** Proxies: addresses (`::1`), networks (`10.0.0.0/8`), and `unix` for whoever connects over a UNIX socket. */
  readonly trust: ReadonlyArray<string>
  /**
   * Fields that these proxies write themselves, whatever they were sent. One that a proxy merely passes on must not be
   * here: clients could write it. Either `forwarded`, or some of the others. Default: `x-forwarded-for` and
   * `x-forwarded-proto`.
   */
  readonly headers?: ReadonlyArray<Field> | undefined
}

const FIELDS: ReadonlyArray<Field> = ["x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "forwarded"]

/** One step of the way, as the proxy at its end tells it. */
interface Hop {
  readonly for: string | undefined
  readonly proto: string | undefined
  readonly host: string | undefined
}

/** What is known of the client after the walk. */
interface Client {
  readonly address: string | undefined
  readonly proto: string | undefined
  readonly host: string | undefined
}

// An address as fields have it: with or without a port, IPv6 with or without brackets. IPv4 inside IPv6 is IPv4.
const addressOf = (text: string): NetAddress.IpAddress | undefined => {
  const bare = /^\[([^\]]*)\](?::\d{1,5})?$/.exec(text)?.[1] ?? /^([\d.]+):\d{1,5}$/.exec(text)?.[1] ?? text
  const address = NetAddress.ipFromString(bare)
  return Result.isSuccess(address) ? NetAddress.toCanonical(address.success) : undefined
}

const HOST = /^(?:\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::\d{1,5})?$/i

const listOf = (value: string | undefined): ReadonlyArray<string> =>
  value === undefined ? [] : value.split(",").map((item) => item.trim()).filter((item) => item !== "")

// The nearest proxy wrote the last item. One that appends has an item for each step, one that overwrites has just one.
const atStep = (list: ReadonlyArray<string>, step: number): string | undefined =>
  list[Math.max(0, list.length - 1 - step)]

const xHops = (request: ServerRequest, fields: ReadonlyArray<Field>): ReadonlyArray<Hop> => {
  const list = (name: Field) => fields.includes(name) ? listOf(request.field(name)) : []
  const [addresses, protos, hosts] = [list("x-forwarded-for"), list("x-forwarded-proto"), list("x-forwarded-host")]
  const hop = (address: string | undefined, step: number) => ({
    for: address,
    proto: atStep(protos, step),
    host: atStep(hosts, step)
  })
  return addresses.length === 0 ? [hop(undefined, 0)] : addresses.toReversed().map(hop)
}

// RFC 7239 §4: pairs with semicolons, elements with commas, either may be empty; values are tokens or quoted.
const PAIR = /[ \t]*(?:([\w!#$%&'*+.^`|~-]+)=(?:([\w!#$%&'*+.^`|~:[\]-]+)|"((?:[^"\\]|\\.)*)"))?[ \t]*([;,]|$)/y

// How far to the left of a field that cannot be read as a whole something readable is looked for.
const ELEMENTS_MAX = 32

/*
 * Clients may begin the field with anything, and proxies put their elements behind that. What cannot be read as a whole is
 * read as far to the left as it can; when nothing can be, the client is unknown, and never the peer.
 */
const forwardedHops = (value: string | undefined): ReadonlyArray<Hop> | null => {
  if (value === undefined) return []
  const whole = elementsOf(value)
  if (whole !== undefined) return whole
  let found: ReadonlyArray<Hop> | null = null
  for (let comma = value.lastIndexOf(","), count = 0; comma >= 0 && count < ELEMENTS_MAX; count++) {
    found = elementsOf(value.slice(comma + 1)) ?? found
    comma = comma === 0 ? -1 : value.lastIndexOf(",", comma - 1)
  }
  return found
}

const elementsOf = (value: string): ReadonlyArray<Hop> | undefined => {
  const hops: Array<Hop> = []
  let hop: Record<string, string> = Object.create(null)
  PAIR.lastIndex = 0
  while (PAIR.lastIndex < value.length) {
    const found = PAIR.exec(value)
    if (found === null) return undefined
    const [, name, token, quoted = "", end] = found
    if (name !== undefined) hop[name.toLowerCase()] ??= token ?? quoted.replaceAll(/\\(.)/g, "$1")
    if (end === ";" && PAIR.lastIndex < value.length) continue
    if (Object.keys(hop).length > 0) hops.push({ for: hop["for"], proto: hop["proto"], host: hop["host"] })
    hop = Object.create(null)
  }
  return hops.toReversed()
}

/*
 * From the nearest step outwards, for as long as the address there is a trusted proxy. An address that is none
 * (`unknown`, a pseudonym) ends the way: the proxy before it is the farthest that is known.
 */
const walk = (hops: ReadonlyArray<Hop>, isTrusted: (address: NetAddress.IpAddress) => boolean): Client => {
  let client: Client = { address: undefined, proto: undefined, host: undefined }
  for (const hop of hops) {
    const address = hop.for === undefined ? undefined : addressOf(hop.for)
    client = {
      address: address === undefined ? client.address : NetAddress.formatIp(address),
      proto: hop.proto,
      host: hop.host
    }
    if (address === undefined || !isTrusted(address)) break
  }
  return client
}

const seenFrom = (request: ServerRequest, { address, host, proto }: Client): ServerRequest => {
  const scheme = proto?.toLowerCase()
  return request.modify({
    ...(address === undefined ? {} : { remoteAddress: Option.some(address) }),
    ...(scheme === "http" || scheme === "https" ? { protocol: scheme } : {}),
    ...(host === undefined || !HOST.test(host) ? {} : { headers: Headers.set(request.headers, "host", host) })
  })
}

const networkOf = (entry: string): IpNetwork.IpNetwork => {
  const address = addressOf(entry)
  const network = address === undefined ? IpNetwork.fromString(entry)
    : IpNetwork.fromAddress(address, NetAddress.width(address))
  if (Result.isSuccess(network)) return network.success
  const expected = "expected an address, a network such as \"10.0.0.0/8\", or \"unix\""
  throw new TypeError(`TrustedProxy: trust has ${JSON.stringify(entry)}, ${expected}`)
}

const check = ({ headers = ["x-forwarded-for", "x-forwarded-proto"] }: Options): ReadonlyArray<Field> => {
  for (const field of headers) {
    if (!FIELDS.includes(field)) {
      throw new TypeError(`TrustedProxy: headers has ${JSON.stringify(field)}, expected some of ${FIELDS.join(", ")}`)
    }
  }
  if (headers.includes("forwarded") && headers.length > 1) {
    const why = "a proxy writes one kind and passes the other on as clients sent it"
    throw new TypeError(`TrustedProxy: headers has forwarded and ${headers.length - 1} more; ${why}`)
  }
  return headers
}

// Proxies are few, and their connections many.
const KNOWN_LIMIT = 1024

const variance = { _P: identity, _E: identity, _R: identity }

/**
 * Middleware that gives what is below a request whose `remoteAddress`, `protocol` and `host` field are the client's, if
 * the peer is trusted. `peerAddress` stays the peer's.
 *
 * The list of addresses is read from the right, past trusted proxies, to the first that is not: what stands left of it
 * is whatever the client wrote. Where all are trusted, it is the leftmost. What is no scheme and no host is ignored.
 *
 * @throws TypeError for an entry of `trust` or `headers` that is none, or `forwarded` beside others.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Option from "effect/Option"
 * import { Domain, Response, Route, TrustedProxy } from "@kore-fx/http"
 *
 * const proxy = TrustedProxy.middleware({ trust: ["10.0.0.0/8", "::1", "unix"] })
 *
 * export const site = Domain.layer("*", { attach: "main", middleware: [proxy] }, [
 *   Route.get("/", ({ request }) =>
 *     Effect.succeed(Response.text(Option.getOrElse(request.remoteAddress, () => "nobody knows"))))
 * ])
 * ```
 */
export const middleware = (options: Options): Middleware.Middleware => {
  const fields = check(options)
  const trustsUnix = options.trust.includes("unix")
  const networks = options.trust.filter((entry) => entry !== "unix").map(networkOf)
  const isTrusted = (address: NetAddress.IpAddress) => networks.some((network) => IpNetwork.contains(network, address))
  const known = new Map<string, boolean>()
  const trustsPeer = (peer: string | undefined): boolean => {
    if (peer === undefined) return trustsUnix
    let trusted = known.get(peer)
    if (trusted === undefined) {
      const address = addressOf(peer)
      trusted = address !== undefined && isTrusted(address)
      if (known.size >= KNOWN_LIMIT) known.clear()
      known.set(peer, trusted)
    }
    return trusted
  }
  const hopsOf = fields.includes("forwarded")
    ? (request: ServerRequest) => forwardedHops(request.field("forwarded"))
    : (request: ServerRequest) => xHops(request, fields)
  return {
    [Middleware.TypeId]: variance,
    wrap: (handler) => (request, found) => {
      if (!trustsPeer(Option.getOrUndefined(request.peerAddress))) return handler(request, found)
      const hops = hopsOf(request)
      const seen = hops === null
        ? request.modify({ remoteAddress: Option.none() })
        : seenFrom(request, walk(hops, isTrusted))
      return Effect.provideService(
        Effect.suspend(() => handler(seen, found)),
        HttpServerRequest.HttpServerRequest,
        seen
      )
    }
  }
}
