/**
 * `kore.prerequest`: functions that see every request before its handler does.
 *
 * When to reach for it: what all handlers need, at import or in `configure`.
 * What it is not: for file maps and redirects, which have no handler. Source: Kore, http §6.4.
 */
import { checkCallable } from "./internal/declare.ts"
import { declaring } from "./internal/Registry.ts"
import type { Request } from "./Request.ts"

/**
 * Has a function called before the handler of every route, behind those that were given before.
 *
 * It may be plain, `async` or a generator function, or the name of a method, and is waited for. It may leave properties on
 * the request for the handler. What it answers ends the request; so does `false`, which without an answer is a fault
 * (500), as is an exception. Nothing or `true` goes on.
 *
 * @throws RuntimeError for what is no function.
 *
 * @example
 * ```ts
 * import { kore } from "kore-fx/legacy"
 *
 * kore.prerequest((req) => {
 *   if (req.request_header("x-tenant") === null) req.response(400, "no tenant")
 * })
 * ```
 */
export const prerequest = (f: ((this: any, req: Request) => unknown) | string): void => {
  checkCallable(f, "kore.prerequest got", "")
  declaring("kore.prerequest").prerequest.push(f)
}
