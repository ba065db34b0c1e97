// expect: Type 'string' is not assignable to type 'number'
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Route } from "kore-fx"

export const route = Route.get("/", { success: Schema.Struct({ n: Schema.Int }) }, () => Effect.succeed({ n: "1" }))
