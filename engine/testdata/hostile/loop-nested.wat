;; attack: Six loops within each other of 65,536 rounds each: no single counter grows large.
;; want: fuel|deadline
;; in: scan alloc init _initialize start

(memory (export "memory") 2)
(data (i32.const 1024) "{\"status\":\"complete\",\"findings\":[]}")
(func (export "bartizan_alloc") (param i32) (result i32) (i32.const 65536))
(func (export "bartizan_scan") (param i32 i32) (result i64)
  (call $attack)
  (i64.const 0x400_0000_0023))

(func $attack (local i32 i32 i32 i32 i32 i32)
  (local.set 0 (i32.const 65536))
  (loop $l0
    (local.set 1 (i32.const 65536))
    (loop $l1
      (local.set 2 (i32.const 65536))
      (loop $l2
        (local.set 3 (i32.const 65536))
        (loop $l3
          (local.set 4 (i32.const 65536))
          (loop $l4
            (local.set 5 (i32.const 65536))
            (loop $l5
              (nop)
              (br_if $l5 (local.tee 5 (i32.sub (local.get 5) (i32.const 1)))))
            (br_if $l4 (local.tee 4 (i32.sub (local.get 4) (i32.const 1)))))
          (br_if $l3 (local.tee 3 (i32.sub (local.get 3) (i32.const 1)))))
        (br_if $l2 (local.tee 2 (i32.sub (local.get 2) (i32.const 1)))))
      (br_if $l1 (local.tee 1 (i32.sub (local.get 1) (i32.const 1)))))
    (br_if $l0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
  )
