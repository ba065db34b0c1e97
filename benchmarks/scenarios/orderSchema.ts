/**
 * The Schemas of the scenarios for the peers that speak Effect.
 *
 * When to reach for it: `peers/kore-fx.ts` and `peers/effect-router.ts` share it, so that they validate the same.
 * What it is not: imported by any other peer, which would have to load Effect.
 */
import * as Schema from "effect/Schema"

/** The answer of the `typed` scenario. */
export const Post = Schema.Struct({ id: Schema.Int, slug: Schema.String, title: Schema.String })

/** The document of the `json` scenario. */
export const Order = Schema.Struct({
  id: Schema.Int,
  placed: Schema.String,
  customer: Schema.Struct({ name: Schema.NonEmptyString, email: Schema.String, vip: Schema.Boolean }),
  address: Schema.Struct({
    street: Schema.String,
    city: Schema.String,
    zip: Schema.String,
    country: Schema.String
  }),
  items: Schema.Array(Schema.Struct({
    sku: Schema.String,
    title: Schema.String,
    quantity: Schema.Int.check(Schema.isGreaterThan(0)),
    price: Schema.Finite
  })),
  tags: Schema.Array(Schema.String),
  note: Schema.String
})
