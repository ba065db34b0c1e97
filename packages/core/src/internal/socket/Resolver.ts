/**
 * The addresses of a host name, from the system's resolver.
 *
 * When to reach for it: inside of `Socket`, where an address is bound or a datagram sent. `connect` lets Node resolve,
 * which tries all addresses of both families.
 * What it is not: public, or a cache.
 */
import * as Effect from "effect/Effect"
import * as dns from "node:dns"
import * as net from "node:net"
import { type Operation, SocketError } from "../../SocketError.ts"
import { withoutBrackets } from "./Address.ts"
import * as Waiting from "./Waiting.ts"

/**
 * The addresses of a host, at least one, in the order of the resolver; an IP address is its own.
 *
 * Interrupted, the answer is ignored. The system's resolver cannot be stopped, and answers when it does.
 */
export const resolve = (
  operation: Operation,
  name: string,
  family: 0 | 4 | 6 = 0
): Effect.Effect<readonly [string, ...Array<string>], SocketError> => {
  const host = withoutBrackets(name)
  if (net.isIP(host) !== 0) return Effect.succeed([host])
  const lookup = Effect.callback<readonly [string, ...Array<string>], SocketError>((resume) => {
    dns.lookup(host, { all: true, order: "verbatim", family }, (error, addresses) => {
      const [first, ...others] = error === null ? addresses : []
      resume(
        first !== undefined
          ? Effect.succeed([first.address, ...others.map((other) => other.address)])
          : Effect.fail(
            new SocketError({
              operation,
              reason: "UnknownHost",
              code: error?.code ?? "ENODATA",
              address: host,
              detail: JSON.stringify(host)
            })
          )
      )
    })
  })
  return Waiting.listed(lookup, operation, () => host)
}
