/**
 * The name and the type of one thing that a session holds.
 *
 * When to reach for it: `Session.key` makes one.
 * What it is not: the thing. A key is a constant that whoever reads and whoever writes share.
 */
import type * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"

/** What marks a value as a key. */
export const TypeId = "~@kore-fx/http/Session/Key"

/** A name, and how a value is written as JSON and read again. */
export interface Key<in out A> {
  readonly [TypeId]: typeof TypeId
  readonly name: string
  readonly encode: (value: A) => Exit.Exit<Schema.Json, Schema.SchemaError>
  readonly decode: (json: Schema.Json) => Exit.Exit<A, Schema.SchemaError>
}

const NAME = /^(?!__proto__$)[\w.:/-]+$/

/**
 * A key for values of a Schema.
 *
 * @throws TypeError when the name is not made of letters, digits and `_.:/-`.
 *
 * @example
 * ```ts
 * import * as Schema from "effect/Schema"
 * import { Session } from "@kore-fx/http"
 *
 * export const Basket = Session.key("basket", Schema.Array(Schema.String))
 * ```
 */
export const key = <A, E>(name: string, schema: Schema.ConstraintCodec<A, E>): Key<A> => {
  if (typeof name !== "string" || !NAME.test(name)) {
    throw new TypeError(`Session.key: the name is ${JSON.stringify(name)}, expected letters, digits and _.:/-`)
  }
  const codec = Schema.toCodecJson(schema) as Schema.ConstraintCodec<A, Schema.Json>
  return { [TypeId]: TypeId, name, encode: Schema.encodeExit(codec), decode: Schema.decodeExit(codec) }
}
