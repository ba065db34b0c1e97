// expect: 'uid' does not exist in type '{ readonly id?: Field; }'
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Response, Route } from "kore-fx"

export const route = Route.get("/users/:id", { path: { uid: Schema.Int } }, () => Effect.succeed(Response.empty()))
