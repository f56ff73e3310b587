;; A scanner of form reactor and encoding json that looks at the whole of its
;; input and finds nothing in it.
(module
  (memory (export "memory") 2)
  (global $heap (mut i32) (i32.const 65536))
  (data (i32.const 16) "{\"status\":\"complete\",\"findings\":[]}")

  (func (export "bartizan_alloc") (param $len i32) (result i32)
    (local $end i64) (local $have i64)
    (local.set $end (i64.add (i64.const 65536) (i64.extend_i32_u (local.get $len))))
    (local.set $have (i64.shl (i64.extend_i32_u (memory.size)) (i64.const 16)))
    (if (i64.gt_u (local.get $end) (local.get $have)) (then
      (if (i32.eq (i32.const -1) (memory.grow (i32.wrap_i64
            (i64.shr_u (i64.add (i64.sub (local.get $end) (local.get $have)) (i64.const 65535)) (i64.const 16)))))
        (then (return (i32.const 0))))))
    (i32.const 65536))

  (func (export "bartizan_scan") (param $ptr i32) (param $len i32) (result i64)
    (local $i i32) (local $word i32)
    (block $end
      (loop $bytes
        (br_if $end (i32.ge_u (i32.add (local.get $i) (i32.const 4)) (local.get $len)))
        (local.set $word (i32.load (i32.add (local.get $ptr) (local.get $i))))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $bytes)))
    (i64.const 0x1000000023))) ;; 35 bytes at 16
