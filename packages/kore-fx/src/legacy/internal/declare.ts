/**
 * What all declarations of routes have in common: they name functions, and must not contradict each other.
 *
 * When to reach for it: `Route` and `Domain` add what they declare with it, `Program` resolves all in the end.
 * What it is not: a check of urls or keywords.
 */
import { normalize } from "@kore-fx/http/Domain"
import { describe } from "../Coroutine.ts"
import { RuntimeError } from "../errors.ts"
import type { Callable, Declaration, Domain, Route } from "./Registry.ts"

/** What the functions of a program belong to. */
export interface Owner {
  readonly app: object | undefined
  readonly module: Readonly<Record<string, unknown>>
  /** What is called before every handler. */
  readonly prerequest: ReadonlyArray<Callable>
}

/**
 * Checks that something is a function or the name of a method.
 *
 * @throws RuntimeError for anything else.
 */
export const checkCallable = (f: unknown, before: string, behind: string): void => {
  if (typeof f === "function" || (typeof f === "string" && f !== "")) return
  throw new RuntimeError(`${before} ${describe(f)} ${behind}, expected a function`)
}

/**
 * The function that a declaration means: itself, or the method of that name of the app or its module.
 *
 * @throws RuntimeError when there is none.
 */
export const functionOf = (
  callable: Callable,
  where: string,
  app: object | undefined,
  module: Readonly<Record<string, unknown>>
): (...args: Array<any>) => unknown => {
  if (typeof callable === "function") return callable
  const found = (app as Record<string, unknown> | undefined)?.[callable] ?? module[callable]
  if (typeof found === "function") return found as (...args: Array<any>) => unknown
  throw new RuntimeError(`${where} "${callable}", but the app has no method of that name`)
}

/** Tells whether two spellings mean one host. */
export const isSameHost = (a: string, b: string): boolean => normalize(a) === normalize(b)

/**
 * Adds a route.
 *
 * @throws RuntimeError when one of its methods has a route of the same url already.
 */
export const addRoute = ({ routes }: Declaration, route: Route): void => {
  checkTwice(routes, route)
  routes.push(route)
}

const checkTwice = (others: ReadonlyArray<Route>, { domain, methods, url }: Route): void => {
  for (const other of others) {
    const method = methods.find((method) => other.methods.includes(method))
    if (other.url !== url || other.domain !== domain || method === undefined) continue
    throw new RuntimeError(`the route "${url}" is declared twice for ${method}`)
  }
}

/**
 * The routes with their domains, once all are declared.
 *
 * @throws RuntimeError for a route whose domain is not there or not said, and for routes that are declared twice.
 */
export const resolve = ({ domains, routes }: Declaration): ReadonlyMap<Domain, ReadonlyArray<Route>> => {
  const resolved = new Map<Domain, Array<Route>>(domains.map((domain) => [domain, []]))
  for (const route of routes) {
    const domain = domainOf(domains, route)
    const found = { ...route, domain }
    const own = resolved.get(domain)!
    checkTwice(own, found)
    own.push(found)
  }
  return resolved
}

const domainOf = (domains: ReadonlyArray<Domain>, { domain, url }: Route): Domain => {
  if (typeof domain === "object") return domain
  const candidates = domain === undefined ? domains : domains.filter(({ host }) => isSameHost(host, domain))
  if (candidates.length === 1) return candidates[0]!
  const hosts = domains.map(({ host }) => `"${host}"`).join(", ")
  throw new RuntimeError(
    domains.length === 0
      ? `the route "${url}" has no domain: declare one with kore.domain`
      : `the route "${url}" needs the keyword domain, with one of ${hosts}`
  )
}
