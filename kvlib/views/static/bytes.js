begin(".kvlib.bytes", (root) => all(root, ".picture").forEach(view));
