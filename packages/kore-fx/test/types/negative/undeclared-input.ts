// expect: Property 'body' does not exist
import * as Effect from "effect/Effect"
import { Response, Route } from "kore-fx"

export const route = Route.post("/", ({ body }) => Effect.succeed(Response.text(String(body))))
