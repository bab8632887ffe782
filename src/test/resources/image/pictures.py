"""Writes the pictures of this folder and what Pillow makes of them: golden.json, red, green and blue in Base64.

Run in this folder: python3 pictures.py (with Pillow 11 or newer). YCCK is CMYK with another mark in its Adobe segment.
"""

import base64
import glob
import json
import math
from PIL import Image, ImageOps

WIDTH, HEIGHT = 13, 9


def scene(shift=0):
    image = Image.new("RGB", (WIDTH, HEIGHT))
    for y in range(HEIGHT):
        for x in range(WIDTH):
            red = 20 + 16 * x + shift
            green = 30 + 20 * y
            blue = int(128 + 80 * math.sin((x + 2 * y + shift) / 6))
            image.putpixel((x, y), (min(red, 255), min(green, 255), blue))
    return image


def oriented(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


rgb = scene()
alpha = rgb.copy()
alpha.putalpha(Image.linear_gradient("L").resize((WIDTH, HEIGHT)))
palette = rgb.quantize(16)
rgb.save("rgb.png")
alpha.save("alpha.png")
rgb.convert("L").save("grey.png")
alpha.convert("LA").save("grey-alpha.png")
rgb.convert("1").save("bits.png")
palette.save("palette.png")
palette.save("palette-alpha.png", transparency=3)
rgb.save("turned.png", exif=oriented(6))
rgb.save("rgb.jpg", quality=90)
rgb.save("full-chroma.jpg", quality=90, subsampling=0)
rgb.save("progressive.jpg", quality=90, progressive=True)
rgb.save("turned.jpg", quality=95, exif=oriented(8))
rgb.convert("L").save("grey.jpg", quality=90)
rgb.convert("CMYK").save("cmyk.jpg", quality=95)
ycck = bytearray(open("cmyk.jpg", "rb").read())
ycck[ycck.index(b"Adobe") + 11] = 2
open("ycck.jpg", "wb").write(ycck)
rgb.save("lossless.webp", lossless=True)
alpha.save("lossless-alpha.webp", lossless=True, exact=True)
flat = rgb.resize((4 * WIDTH, 4 * HEIGHT), Image.BICUBIC)
flat.save("lossy.webp", quality=90)
flat_alpha = flat.copy()
flat_alpha.putalpha(alpha.getchannel("A").resize(flat.size))
flat_alpha.save("lossy-alpha.webp", quality=90)
rgb.save("turned.webp", lossless=True, exif=oriented(7))
rgb.save("moving.webp", lossless=True, save_all=True, append_images=[scene(40)], duration=100)
palette.save("palette.gif")
palette.save("moving.gif", save_all=True, append_images=[scene(40).quantize(16)], duration=100)
rgb.save("rgb.bmp")

goldens = {}
for name in sorted(glob.glob("*.png") + glob.glob("*.jpg") + glob.glob("*.webp") + glob.glob("*.gif") + ["rgb.bmp"]):
    image = ImageOps.exif_transpose(Image.open(name)).convert("RGB")
    goldens[name] = {"width": image.width, "rgb": base64.b64encode(image.tobytes()).decode()}
with open("golden.json", "w") as file:
    json.dump(goldens, file, indent=1)
    file.write("\n")
