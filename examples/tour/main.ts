import * as Effect from "effect/Effect"
import { Kore } from "kore-fx"
import { app } from "./app.ts"

Effect.runFork(Kore.main(app))
