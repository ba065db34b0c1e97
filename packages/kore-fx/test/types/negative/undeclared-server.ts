// expect: a domain attaches to a server that the app does not declare
// expect: "mian"
import { Domain, Kore, Server } from "kore-fx"

export const app = Kore.app({
  servers: { main: Server.tcp({ host: "127.0.0.1", port: 0, tls: false }) },
  worker: Domain.layer("*", { attach: "mian" }, [])
})
