/**
 * What a route says of its arguments: dictionaries of validators by method, and what becomes of everything else.
 *
 * When to reach for it: `Arguments` makes and reads declarations; everything here is exported by it.
 * What it is not: bound to a route. `checkMethods` says whether it fits one.
 *
 * Source: Kore, http §6.5; defect B27.
 */
import type * as Effect from "effect/Effect"
import { identity } from "effect/Function"
import type * as Types from "effect/Types"
import * as Form from "../Form.ts"
import type { Source } from "./Source.ts"
import { type Check, compile, type Validator } from "./Validator.ts"

/** What marks a value as a declaration. */
export const TypeId = "~@kore-fx/http/Arguments"

/** The words that name a dictionary of validators. Each may be written in lower or upper case. */
export type Keyword = "get" | "head" | "options" | "post" | "put" | "patch" | "delete" | "qs"

/** Validators by the name of the argument. */
export type Dictionary = { readonly [name: string]: Validator }

/** What a declaration says besides its dictionaries. */
export interface Policy {
  /** What becomes of names that no validator has: `drop` them as Kore does, or `refuse` the request with 400. Default `drop`. */
  readonly unknown?: "drop" | "refuse" | undefined
  /** What becomes of values that are not admitted: `drop` them as Kore does, or `refuse` the request with 400. Default `drop`. */
  readonly invalid?: "drop" | "refuse" | undefined
  /** Pairs that a query or a body may have; one more, and the request gets 400 or 413. From 1; default 1000. */
  readonly maxPairs?: number | undefined
}

/** Dictionaries of validators, and what becomes of the rest. */
export type Options =
  & { readonly [_ in Keyword | Uppercase<Keyword>]?: Dictionary | undefined }
  & Policy

type ServicesIn<V> = V extends (...args: any) => infer A ? A extends Effect.Effect<any, any, infer R> ? R : never
  : never

/** The services that the validators of a declaration need. */
export type ServicesOf<O> = {
  [K in keyof O]: O[K] extends Dictionary ? ServicesIn<O[K][keyof O[K]]> : never
}[keyof O]

/** Validators made ready, for routes and for adapters. Made by `make`. */
export interface Declaration<out R = never> {
  readonly [TypeId]: { readonly _R: Types.Covariant<R> }
  /** The methods that have a dictionary of their own, in upper case. */
  readonly methods: ReadonlyArray<string>
  readonly unknown: "drop" | "refuse"
  readonly invalid: "drop" | "refuse"
  readonly maxPairs: number
  /** What validates the arguments of a method from a place; `undefined` when that place is none of theirs. */
  readonly validators: (source: Source, method: string) => Validators | undefined
}

/** Compiled validators by name. */
export type Validators = ReadonlyMap<string, Check>

const FROM_QUERY = ["GET", "HEAD", "OPTIONS"]
const FROM_BODY = ["POST", "PUT", "PATCH", "DELETE"]
const KEYWORDS = [...FROM_QUERY, ...FROM_BODY, "QS"]
const POLICIES = ["unknown", "invalid", "maxPairs"]

const compileAll = (keyword: string, dictionary: unknown): Validators => {
  if (typeof dictionary !== "object" || dictionary === null || Array.isArray(dictionary)) {
    throw new TypeError(`Arguments.make: ${keyword} is no dictionary, expected an object of validators by name`)
  }
  return new Map(
    Object.entries(dictionary).map(([name, validator]) => [
      name,
      compile(validator, `Arguments.make: the validator of ${keyword} "${name}"`)
    ])
  )
}

const policy = (name: "unknown" | "invalid", value: unknown = "drop"): "drop" | "refuse" => {
  if (value === "drop" || value === "refuse") return value
  throw new TypeError(`Arguments.make: ${name} is ${JSON.stringify(value)}, expected "drop" or "refuse"`)
}

/**
 * Makes a declaration of arguments.
 *
 * A name in the dictionary of a method goes before the same name in `qs`. HEAD has the arguments of GET when there is no
 * dictionary `head`.
 *
 * @throws TypeError for a word that names no dictionary, one that is there twice in different case, a validator that is
 * neither a regular expression nor a function, and any other value of `unknown` and `invalid`.
 * @throws RangeError when `maxPairs` is no whole number from 1.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { Arguments } from "@kore-fx/http"
 *
 * export const declaration = Arguments.make({
 *   get: { id: /^[0-9]+$/ },
 *   post: { name: (value) => value.length < 40, code: (value) => Effect.delay(Effect.succeed(value === "1"), "1 second") },
 *   qs: { lang: /^(en|de)$/ },
 *   invalid: "refuse"
 * })
 * ```
 */
export const make = <const O extends Options>(options: O): Declaration<ServicesOf<O>> => {
  const dictionaries = new Map<string, Validators>()
  for (const [keyword, dictionary] of Object.entries(options)) {
    if (POLICIES.includes(keyword) || dictionary === undefined) continue
    const upper = keyword.toUpperCase()
    if (!KEYWORDS.includes(upper)) {
      throw new TypeError(
        `Arguments.make: "${keyword}" is unknown, expected one of ${KEYWORDS.join(", ").toLowerCase()}, ${
          POLICIES.join(", ")
        }`
      )
    }
    if (dictionaries.has(upper)) {
      throw new TypeError(`Arguments.make: "${upper.toLowerCase()}" is there twice in different case, expected it once`)
    }
    dictionaries.set(upper, compileAll(keyword, dictionary))
  }
  const qs = dictionaries.get("QS")
  const queries = new Map(FROM_QUERY.flatMap((method) => {
    const own = dictionaries.get(method) ?? (method === "HEAD" ? dictionaries.get("GET") : undefined)
    return own === undefined ? [] : [[method, new Map([...qs ?? [], ...own])] as const]
  }))
  const bodies = new Map(FROM_BODY.flatMap((method) => {
    const own = dictionaries.get(method)
    return own === undefined ? [] : [[method, own] as const]
  }))
  return {
    [TypeId]: { _R: identity },
    methods: [...dictionaries.keys()].filter((keyword) => keyword !== "QS"),
    unknown: policy("unknown", options.unknown),
    invalid: policy("invalid", options.invalid),
    maxPairs: Form.maxPairsOf("Arguments.make", options),
    validators: (source, method) => source === "query" ? queries.get(method) ?? qs : bodies.get(method)
  }
}

/**
 * Checks that every dictionary belongs to one of the methods of a route, in any case; GET brings HEAD with it.
 *
 * @throws TypeError that names `route` and the dictionaries that nothing would ever read.
 *
 * @example
 * ```ts
 * import { Arguments } from "@kore-fx/http"
 *
 * export const declaration = Arguments.make({ POST: { name: /./ } })
 * Arguments.checkMethods(declaration, ["post"], "/users")
 * ```
 */
export const checkMethods = (
  declaration: Declaration<any>,
  methods: ReadonlyArray<string>,
  route: string
): void => {
  const known = new Set(methods.map((method) => method.toUpperCase()))
  if (known.has("GET")) known.add("HEAD")
  const idle = declaration.methods.filter((method) => !known.has(method))
  if (idle.length === 0) return
  throw new TypeError(
    `${route} declares arguments of ${idle.join(" and ")}, which it does not answer: it has ${
      methods.length === 0 ? "no methods" : methods.join(", ")
    }. Add the method or take the dictionary away`
  )
}
