/**
 * Which requests are one too many: for the worker, or for the address that they come from.
 *
 * When to reach for it: the connection asks for every request.
 * What it is not: what counts them; that is `Port` for the worker and `Limits` for addresses. Kore: http §10, A15.
 */
import type { HttpServerResponse } from "../internal/effectHttp.ts"
import type { Share } from "../Limits.ts"
import type { Port } from "./Port.ts"
import * as Refusal from "./Refusal.ts"
import * as ResponseWriter from "./ResponseWriter.ts"

const OVERLOADED = ResponseWriter.refusal(Refusal.OVERLOADED)
const TOO_MANY = ResponseWriter.refusal(Refusal.get(Refusal.ADDRESS_REQUESTS))

/**
 * The answer to a request that is one too many, which is well-formed, so that its connection stays; `undefined` for all
 * others.
 *
 * HOT PATH: two comparisons.
 */
export const excess = (
  { live, settings }: Port,
  share: Share | undefined
): HttpServerResponse.HttpServerResponse | undefined => {
  if (live > settings.requestLimit) return OVERLOADED
  return share !== undefined && share.hasTooManyRequests ? TOO_MANY : undefined
}
