scenario { title = "Unknown field" }

Sandbox.create {
  volumes = {},
  mounts = {},
}
