;; A scanner of form command that reads its input and finds nothing in it.
(module
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 2)
  (data (i32.const 256) "{\"status\":\"complete\",\"findings\":[]}\n")

  (func (export "_start")
    (local $last i32)
    (loop $more
      (i32.store (i32.const 0) (i32.const 4096)) ;; a buffer of 32 KiB at 4096
      (i32.store (i32.const 4) (i32.const 32768))
      (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
      (if (i32.load (i32.const 8)) (then
        (local.set $last (i32.load8_u (i32.add (i32.const 4095) (i32.load (i32.const 8)))))
        (br $more))))
    (if (i32.and (i32.ne (local.get $last) (i32.const 0x7d)) (i32.ne (local.get $last) (i32.const 10)))
      (then (call $exit (i32.const 1)))) ;; it ends in a brace or a line feed
    (i32.store (i32.const 0) (i32.const 256))
    (i32.store (i32.const 4) (i32.const 36))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
    (call $exit (i32.const 0))))
