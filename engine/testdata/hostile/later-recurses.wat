;; attack: Behaves in its self-test and, when a text holds the word "attack", calls itself for ever.
;; want: depth
;; setup: answers a text without the word "attack" as an honest scanner would

(memory (export "memory") 2)
(data (i32.const 1024) "{\"status\":\"complete\",\"findings\":[]}")
(func (export "bartizan_alloc") (param i32) (result i32) (i32.const 65536))
(func (export "bartizan_scan") (param $ptr i32) (param $len i32) (result i64)
  (if (call $attacked (local.get $ptr) (local.get $len)) (then (call $attack)))
  (i64.const 0x400_0000_0023))

;; $attacked says whether the input holds the word "attack".
(func $attacked (param $at i32) (param $len i32) (result i32)
  (local $end i32)
  (local.set $end (i32.add (local.get $at) (local.get $len)))
  (block $none
    (loop $next
      (br_if $none (i32.ge_u (i32.add (local.get $at) (i32.const 6)) (local.get $end)))
      (if (i32.and
            (i32.eq (i32.load align=1 (local.get $at)) (i32.const 0x61747461))
            (i32.eq (i32.load16_u offset=4 align=1 (local.get $at)) (i32.const 0x6b63)))
        (then (return (i32.const 1))))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (br $next)))
  (i32.const 0))
(func $attack (call $attack))
