/**
 * What is known about one option, apart from its name.
 *
 * When to reach for it: to add an option to one of the tables beside this file.
 * What it is not: a value of an option. That is in `Config.Config`.
 */
import type * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as Kind from "./Kind.ts"

/** One option: `A` is what is read, `I` what TypeScript users may write, `D` what there is when nobody wrote any. */
export interface Definition<A, I, D extends A | undefined> {
  /** How the value is read, printed and explained. */
  readonly kind: Kind.Kind<A, I>
  /** The value when no source gives one; `undefined` means none. */
  readonly default: D
  /** One sentence: what the option does. Unit and bounds are in `kind`, see `documentation`. */
  readonly doc: string
  /** The default in words, where the value depends on the machine. */
  readonly defaultText?: string
  /** The capability that will bring the option to life; absent when it is applied already. */
  readonly later?: string
  /** The environment variable, where it does not follow from the option's name. */
  readonly variable?: string
}

/** Any option. */
export type Any = Definition<any, any, any>

/** Makes an option; it infers the types of a table's entry. */
// `const` keeps the default a literal: widened to `string` it would no longer be one of an option's words.
export const define = <A, I, const D extends A | undefined>(definition: Definition<A, I, D>): Definition<A, I, D> =>
  definition

/**
 * Kore's name of an option.
 *
 * @example
 * ```ts
 * import * as Definition from "@kore-fx/core/config/Definition"
 *
 * Definition.legacyName("httpBodyMax") // "http_body_max"
 * ```
 */
export const legacyName = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

/** The environment variable that sets an option: `KORE_HTTP_BODY_MAX` for `httpBodyMax`. */
export const variableName = (name: string, definition: Any): string =>
  definition.variable ?? `KORE_${legacyName(name).toUpperCase()}`

/** The text of an option's value, as `kore-fx check` prints it; an environment variable with that text reads back. */
export const formatValue = (definition: Any, value: unknown): string => {
  if (value === undefined) return "none"
  const encoded: unknown = Schema.encodeUnknownSync(definition.kind.schema)(value)
  if (Array.isArray(encoded)) return encoded.length === 0 ? "none" : encoded.join(", ")
  return typeof encoded === "boolean" ? (encoded ? "yes" : "no") : String(encoded)
}

/** All that is to be said about an option: what it does, what it takes, its default. */
export const documentation = (definition: Any): string => {
  const { defaultText, doc, kind } = definition
  const takes = kind.expected.charAt(0).toUpperCase() + kind.expected.slice(1)
  return `${doc} ${takes}; default: ${defaultText ?? formatValue(definition, definition.default)}.`
}

/** Reads a value as an option does. */
export const decode = <A, I, D extends A | undefined>(
  definition: Definition<A, I, D>,
  value: unknown
): Option.Option<A> => Schema.decodeUnknownOption(definition.kind.schema)(value)
