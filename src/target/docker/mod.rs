//! The reference target: real containers and named volumes on a Docker engine.
