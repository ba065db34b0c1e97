/**
 * An application as data: configuration, the servers it listens on, and the Layer that each of its workers runs.
 *
 * When to reach for it: a program builds one with `Kore.app` and hands it to `Kore.main`, `Kore.test` or the command line.
 * What it is not: nothing runs here. `process/Parent` and `process/Worker` give it life.
 */
import type * as Layer from "effect/Layer"
import * as Predicate from "effect/Predicate"
import type * as Config from "./Config.ts"
import type * as Listener from "./Listener.ts"
import type * as Tracer from "./Tracer.ts"

/** What marks a value as an application. */
export const TypeId = "~@kore-fx/core/App"

/** An application whose worker Layer may fail with `E` and still needs the services `R`. */
export interface App<out E = never, out R = never> {
  readonly [TypeId]: typeof TypeId
  /** What its processes are called: `<name> [parent]`, `<name> [wrk 1]`. */
  readonly name: string
  /** Options as the program gave them: not validated yet, see `Config.resolve`. */
  readonly config: Config.Input
  /** The addresses to listen on, by the name that domains attach to. */
  readonly servers: Readonly<Record<string, Listener.Address>>
  /** What every worker runs: domains, services, background work. */
  readonly worker: Layer.Layer<never, E, R>
  /** Where uncaught failures go; without it, the log. */
  readonly tracer?: Tracer.Report | undefined
}

/**
 * Makes an application from its parts. Its name is `kore` unless it is given another one.
 *
 * @example
 * ```ts
 * const app = App.make({ config: { workers: 1 }, servers: {}, worker: Layer.empty })
 * ```
 */
export const make = <E, R>(
  { name = defaultName, ...parts }: Omit<App<E, R>, typeof TypeId | "name"> & {
    /** What its processes are called. */
    readonly name?: string | undefined
  }
): App<E, R> => ({ [TypeId]: TypeId, name, ...parts })

/** What the processes of an app are called that has no name of its own. */
export const defaultName = "kore"

/** Tells whether a value is an application. */
export const isApp = (u: unknown): u is App<unknown, unknown> => Predicate.hasProperty(u, TypeId)
