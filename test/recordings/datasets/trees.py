"""Tiny data sets in exactly the layouts in which the real ones are distributed."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np

SIZE = (64, 48)

VOC = """<annotation>
  <filename>{name}</filename>
  <size><width>64</width><height>48</height><depth>3</depth></size>
  {objects}
</annotation>
"""


def write_image(path: Path, seed: int, size: tuple[int, int] = SIZE, *, grey: bool = False) -> Path:
    """A smooth random picture, different for every seed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(seed).integers(0, 255, (6, 8) if grey else (6, 8, 3), np.uint8)
    cv2.imwrite(str(path), cv2.resize(noise, size, interpolation=cv2.INTER_CUBIC))
    return path


def write_text(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def voc_object(name: str, box: tuple[int, int, int, int], difficult: int = 0) -> str:
    tags = ("xmin", "ymin", "xmax", "ymax")
    corners = "".join(f"<{t}>{v}</{t}>" for t, v in zip(tags, box, strict=True))
    return (
        f"<object><name>{name}</name><difficult>{difficult}</difficult>"
        f"<bndbox>{corners}</bndbox></object>"
    )


def write_voc(path: Path, *objects: str) -> Path:
    return write_text(path, VOC.format(name=path.stem, objects="\n  ".join(objects)))


def llvip(root: Path) -> Path:
    for number, (stem, split) in enumerate(
        (("010001", "train"), ("010002", "train"), ("190001", "test"))
    ):
        write_image(root / "visible" / split / f"{stem}.jpg", number)
        write_image(root / "infrared" / split / f"{stem}.jpg", 100 + number, grey=True)
        write_voc(
            root / "Annotations" / f"{stem}.xml",
            voc_object("person", (10, 5, 20, 40)),
            voc_object("person", (30, 5, 40, 40), difficult=1),
        )
    return root


def flir(root: Path, lists: str = "") -> Path:
    for number, name in enumerate(("FLIR_00002", "FLIR_08864", "FLIR_09999")):
        write_image(root / "JPEGImages" / f"{name}_RGB.jpg", number)
        write_image(root / "JPEGImages" / f"{name}_PreviewData.jpeg", 100 + number, grey=True)
        write_voc(
            root / "Annotations" / f"{name}_PreviewData.xml",
            voc_object("bicycle", (1, 2, 11, 12)),
            voc_object("car", (20, 2, 40, 12)),
            voc_object("dog", (40, 20, 50, 30)),
        )
    write_text(root / lists / "align_train.txt", "FLIR_00002_PreviewData\n")
    write_text(root / lists / "align_validation.txt", "FLIR_08864\n\n")
    return root


def m3fd(root: Path) -> Path:
    for number, stem in enumerate(("00000", "00001")):
        write_image(root / "Vis" / f"{stem}.png", number)
        write_image(root / "Ir" / f"{stem}.png", 100 + number, grey=True)
        write_voc(
            root / "Annotation" / f"{stem}.xml",
            voc_object("People", (1, 2, 11, 22)),
            voc_object("Lamp", (20, 2, 24, 12)),
            voc_object("Truck", (30, 2, 60, 40)),
            voc_object("Motorcycle", (2, 30, 12, 40)),
        )
    return root


def m3fd_yolo(root: Path) -> Path:
    for number, stem in enumerate(("00000", "00001", "00002")):
        write_image(root / "vi" / f"{stem}.png", number)
        write_image(root / "ir" / f"{stem}.png", 100 + number, grey=True)
    write_text(root / "labels" / "00000.txt", "0 0.5 0.5 0.25 0.5\n2 0.25 0.25 0.5 0.5\n")
    write_text(root / "labels" / "00001.txt", "1 0.5 0.5 0.25 0.5\n3 0.5 0.5 0.1 0.1\n")
    write_text(root / "meta" / "train.txt", "00000.png\n00002.png\n")
    write_text(root / "meta" / "val.txt", "00001.png\n")
    return root


def kaist(root: Path) -> Path:
    frames = ("set00/V000/I00001", "set05/V000/I00003", "set06/V001/I00019")
    for number, frame in enumerate(frames):
        folder, image = root / "images" / frame[:10], frame[11:]
        write_image(folder / "visible" / f"{image}.jpg", number)
        write_image(folder / "lwir" / f"{image}.jpg", 100 + number, grey=True)
        names = ("person", "people", "person?", "cyclist")
        objects = "".join(
            f"<object><name>{name}</name><bndbox><x>{5 + 10 * k}</x><y>4</y><w>8</w><h>30</h>"
            "</bndbox><occlusion>0</occlusion></object>"
            for k, name in enumerate(names)
        )
        write_text(
            root / "annotations-xml-new-sanitized" / f"{frame}.xml",
            f"<annotation>{objects}</annotation>",
        )
    write_text(root / "imageSets" / "train-all-02.txt", "\n".join(frames[:2]) + "\n")
    write_text(root / "imageSets" / "test-all-20.txt", frames[2] + "\n")
    return root


def kaist_flat_text(root: Path) -> Path:
    """As the sanitised annotations of Li et al. come: flat bbGt files, no lists."""
    kaist(root)
    for path in (root / "annotations-xml-new-sanitized").rglob("*.xml"):
        path.unlink()
    for path in (root / "imageSets").iterdir():
        path.unlink()
    for frame in ("set00_V000_I00001", "set06_V001_I00019"):
        write_text(
            root / "sanitized_annotations" / f"{frame}.txt",
            "% bbGt version=3\nperson 5 4 8 30 0 0 0 0 0 0 0\nperson 25 4 8 30 2 0 0 0 0 1 0\n",
        )
    return root


def msrs(root: Path, labels: str = "../MSRS-detection-label") -> Path:
    for number, (stem, split) in enumerate((("00001D", "train"), ("00004N", "test"))):
        write_image(root / split / "vi" / f"{stem}.png", number)
        write_image(root / split / "ir" / f"{stem}.png", 100 + number, grey=True)
        boxes = {
            "visible": "0  0.25 0.5  0.2 0.4 \n",
            "infrared": "0  0.26 0.5  0.2 0.4 \n2  0.75  0.5  0.2  0.2",
            "fusion": "0  0.25 0.51  0.2 0.4 \n2  0.75  0.5  0.2  0.21\n1  0.5 0.9 0.1 0.1",
        }
        for folder, text in boxes.items():
            write_text(root / labels / folder / split / f"{stem}.txt", text)
    write_text(root / labels / "classes.txt", "0 person\n1 bicycle\n2 car\n")
    write_image(root / "detection" / "vi" / "1.png", 50)
    write_image(root / "detection" / "ir" / "1.png", 51, grey=True)
    write_text(root / "detection" / "labels" / "1.txt", "2 0.5 0.5 0.5 0.5\n")
    return root


def coco_pairs(root: Path, splits: tuple[str, ...] = ("train", "test"), count: int = 2) -> Path:
    names = [{"id": i + 1, "name": n} for i, n in enumerate(("person", "car", "bicycle"))]
    for s, split in enumerate(splits):
        images, annotations = [], []
        for k in range(count):
            name, seed = f"{split}_{k}", 10 * s + k
            write_image(root / "rgb" / f"{name}.jpg", seed)
            write_image(root / "thermal" / f"{name}.png", 100 + seed, grey=True)
            paths = {"rgb": f"rgb/{name}.jpg", "thermal": f"thermal/{name}.png"}
            images.append({"id": k + 1, "width": SIZE[0], "height": SIZE[1], **paths})
            box = {"id": k + 1, "image_id": k + 1, "category_id": 1, "bbox": [5, 6, 20, 30]}
            annotations.append(box)
        coco = {"images": images, "annotations": annotations, "categories": names}
        write_text(root / f"{split}.json", json.dumps(coco))
    return root
