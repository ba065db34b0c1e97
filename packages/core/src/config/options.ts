/**
 * All options in one table, and the ways to find one by a name of it.
 *
 * When to reach for it: through `Config.options` and `Config.fromLegacyName`.
 * What it is not: the place to add an option. Add it to the table of its theme beside this file.
 */
import { clientOptions } from "./client.ts"
import * as Definition from "./Definition.ts"
import { httpOptions } from "./http.ts"
import { logOptions } from "./log.ts"
import { processOptions } from "./process.ts"
import { tlsOptions } from "./tls.ts"

type ProcessOptions = typeof processOptions
type LogOptions = typeof logOptions
type HttpOptions = typeof httpOptions
type TlsOptions = typeof tlsOptions
type ClientOptions = typeof clientOptions

/** Every option by its name. An interface, so that editors and messages show its name and not its contents. */
export interface Options extends ProcessOptions, LogOptions, HttpOptions, TlsOptions, ClientOptions {}

/** The name of an option: `httpBodyMax`. */
export type Name = keyof Options

/** The table itself. */
export const options: Options = { ...processOptions, ...logOptions, ...httpOptions, ...tlsOptions, ...clientOptions }

/** The names in the order of the tables. */
export const names = Object.keys(options) as ReadonlyArray<Name>

const index = (key: (name: Name) => string): ReadonlyMap<string, Name> =>
  new Map(names.map((name) => [key(name), name]))

/** Names by name: tells whether text is the name of an option, without being fooled by `constructor`. */
export const byName = index((name) => name)

/** Names by Kore's name: `http_body_max`. */
export const byLegacyName = index(Definition.legacyName)

/** Names by environment variable: `KORE_HTTP_BODY_MAX`. */
export const byVariable = index((name) => Definition.variableName(name, options[name]))
