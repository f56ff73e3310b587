;; A scanner of form reactor and encoding flat that finds the letters TCK- in
;; every text. The tests of the kit break it, one line at a time.
(module
  (memory (export "memory") 2)
  (global $heap (mut i32) (i32.const 65536))
  (data (i32.const 16) "t.ticket")

  (func (export "_initialize"))

  ;; A configuration is an object.
  (func (export "bartizan_init") (param $ptr i32) (param $len i32) (result i32)
    (if (i32.eqz (local.get $len)) (then (return (i32.const 0))))
    (i32.ne (i32.load8_u (local.get $ptr)) (i32.const 0x7b)))

  (func $alloc (export "bartizan_alloc") (param $len i32) (result i32)
    (local $at i32) (local $end i64) (local $have i64)
    (local.set $at (global.get $heap))
    (local.set $end (i64.and
      (i64.add (i64.add (i64.extend_i32_u (local.get $at)) (i64.extend_i32_u (local.get $len))) (i64.const 7))
      (i64.const -8)))
    (local.set $have (i64.shl (i64.extend_i32_u (memory.size)) (i64.const 16)))
    (if (i64.gt_u (local.get $end) (local.get $have)) (then
      (if (i32.eq (i32.const -1) (memory.grow (i32.wrap_i64
            (i64.shr_u (i64.add (i64.sub (local.get $end) (local.get $have)) (i64.const 65535)) (i64.const 16)))))
        (then (return (i32.const 0))))))
    (global.set $heap (i32.wrap_i64 (local.get $end)))
    (local.get $at))

  ;; For a guest that nests its calls.
  (func $deeper (call $deeper))

  ;; Whether n parts of a size, from an offset on, end outside of len bytes.
  (func $outside (param $at i32) (param $n i32) (param $size i32) (param $len i32) (result i32)
    (i64.gt_u
      (i64.add (i64.extend_i32_u (local.get $at))
        (i64.mul (i64.extend_i32_u (local.get $n)) (i64.extend_i32_u (local.get $size))))
      (i64.extend_i32_u (local.get $len))))

  (func (export "bartizan_scan") (param $ptr i32) (param $len i32) (result i64)
    (local $at i32) (local $n i32) (local $record i32) (local $segment i32)
    (local $text i32) (local $size i32) (local $i i32)
    (local $found i32) (local $left i32) (local $to i32)

    (if (i32.lt_u (local.get $len) (i32.const 88)) (then (return (i64.const 0))))
    (if (i32.ne (i32.load (local.get $ptr)) (i32.const 0x495a5442)) (then (return (i64.const 0))))
    (if (i32.lt_u (i32.load offset=4 (local.get $ptr)) (i32.const 88)) (then (return (i64.const 0))))
    (if (i32.gt_u (i32.load offset=4 (local.get $ptr)) (local.get $len)) (then (return (i64.const 0))))
    (if (i32.ne (i32.load offset=8 (local.get $ptr)) (local.get $len)) (then (return (i64.const 0))))

    (local.set $at (i32.load offset=40 (local.get $ptr)))
    (local.set $n (i32.load offset=44 (local.get $ptr)))
    (local.set $record (i32.load offset=48 (local.get $ptr)))
    (if (local.get $n) (then
      (if (i32.lt_u (local.get $record) (i32.const 32)) (then (return (i64.const 0))))
      (if (call $outside (local.get $at) (local.get $n) (local.get $record) (local.get $len)) (then (return (i64.const 0))))))

    (block $done
      (loop $segments
        (br_if $done (i32.ge_u (local.get $segment) (local.get $n)))
        (local.set $text (i32.load offset=16 (i32.add (local.get $ptr) (local.get $at))))
        (local.set $size (i32.load offset=20 (i32.add (local.get $ptr) (local.get $at))))
        (if (local.get $size) (then
          (if (call $outside (local.get $text) (local.get $size) (i32.const 1) (local.get $len)) (then (return (i64.const 0))))))
        (local.set $text (i32.add (local.get $ptr) (local.get $text)))
        (local.set $i (i32.const 0))
        (block $end
          (loop $bytes
            (br_if $end (i32.gt_u (i32.add (local.get $i) (i32.const 4)) (local.get $size)))
            (if (i32.eq (i32.load (i32.add (local.get $text) (local.get $i))) (i32.const 0x2d4b4354)) (then ;; TCK-
              (local.set $to (i32.add (i32.const 4144) (i32.mul (local.get $found) (i32.const 56))))
              (if (i32.or
                    (i32.ge_u (local.get $found) (i32.load offset=32 (local.get $ptr)))
                    (i32.gt_u (i32.add (local.get $to) (i32.const -4024)) (i32.load offset=36 (local.get $ptr))))
                (then ;; no room for it: the answer is partial
                  (local.set $left (i32.const 1))
                  (i32.store (local.get $to) (local.get $segment))
                  (i32.store offset=4 (local.get $to) (local.get $i))
                  (i32.store offset=8 (local.get $to) (i32.add (local.get $i) (i32.const 4)))
                  (br $done)))
              (i32.store (local.get $to) (i32.const 40))
              (i32.store offset=4 (local.get $to) (i32.const 8))
              (i64.store offset=8 (local.get $to) (i64.const 0x3ff0000000000000)) ;; confidence 1
              (i32.store offset=16 (local.get $to) (local.get $segment))
              (i32.store offset=20 (local.get $to) (local.get $i))
              (i32.store offset=24 (local.get $to) (i32.add (local.get $i) (i32.const 4)))
              (i32.store8 offset=28 (local.get $to) (i32.const 3)) ;; medium
              (local.set $found (i32.add (local.get $found) (i32.const 1)))))
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (br $bytes)))
        (local.set $at (i32.add (local.get $at) (local.get $record)))
        (local.set $segment (i32.add (local.get $segment) (i32.const 1)))
        (br $segments)))

    (i32.store offset=4096 (i32.const 0) (i32.const 0x4f5a5442))
    (i32.store offset=4100 (i32.const 0) (i32.const 40))
    (i32.store offset=4104 (i32.const 0) (i32.add (i32.const 1) (local.get $left)))
    (i32.store offset=4108 (i32.const 0) (i32.const 48))
    (i32.store offset=4112 (i32.const 0) (local.get $found))
    (i32.store offset=4116 (i32.const 0) (i32.const 56))
    (i32.store offset=4120 (i32.const 0) (i32.add (i32.const 48) (i32.mul (local.get $found) (i32.const 56))))
    (i32.store offset=4124 (i32.const 0) (local.get $left))
    (i32.store offset=4128 (i32.const 0) (i32.const 16))
    (i64.store offset=4136 (i32.const 0) (i64.load (i32.const 16))) ;; the rule
    (i64.or (i64.const 0x100000000000)
      (i64.extend_i32_u (i32.add (i32.const 48)
        (i32.add (i32.mul (local.get $found) (i32.const 56)) (i32.mul (local.get $left) (i32.const 16))))))))
