import { Effect, Option, Schedule, Stream } from "effect"
import { Domain, Kore, Response, Route, Server, ServerSentEvents } from "kore-fx"

const NEWS = ["it begins", "it goes on\nin two lines", "it is over"]

// What a client has not seen yet, a piece at a time. It ends here; news that never end are a stream as well.
const newsAfter = (seen: number) =>
  Stream.fromIterable(NEWS.entries()).pipe(
    Stream.drop(seen),
    Stream.map(([i, data]) => ({ id: String(i + 1), event: "news", data })),
    Stream.schedule(Schedule.spaced("100 millis"))
  )

// The id of the last event comes from the client, and may be any text.
const seenBy = (last: Option.Option<string>) =>
  Option.match(last, { onNone: () => 0, onSome: (id) => /^\d+$/.test(id) ? Number(id) : 0 })

const news = Route.get("/news", ({ request }) =>
  Effect.succeed(
    request.headers["last-event-id"] === String(NEWS.length)
      // Nothing is left: 204 tells a browser not to come again.
      ? Response.empty()
      : ServerSentEvents.resumable(request, (last) => newsAfter(seenBy(last)), { retry: "1 second" })
  ))

const page = Route.get("/", () =>
  Effect.succeed(Response.html(`<!doctype html>
<title>events</title>
<ul></ul>
<script>
  new EventSource("/news").addEventListener("news", ({ data }) => {
    document.querySelector("ul").appendChild(document.createElement("li")).innerText = data
  })
</script>
`)))

export const app = Kore.app({
  config: { workers: 1, deployment: "development" },
  servers: { main: Server.tcp({ host: "127.0.0.1", port: Number(process.env["PORT"] ?? 8888), tls: false }) },
  worker: Domain.layer("*", { attach: "main" }, [news, page])
})

if (import.meta.main) Effect.runFork(Kore.main(app))
