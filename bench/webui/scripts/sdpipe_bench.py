"""Measures inside a WebUI. Copy the folder `webui` to extensions/sdpipe-bench; `bench/generating_thread.py` calls it."""

import statistics
import time
from contextlib import contextmanager

import numpy as np
from modules import images, processing, script_callbacks, shared
from PIL import Image

EDGE = 512


def picture(seed):
    """Soft colours with a little noise: compresses as a photograph does."""
    generator = np.random.default_rng(seed)
    soft = Image.fromarray(generator.integers(0, 256, (8, 8, 3), dtype=np.uint8)).resize((EDGE, EDGE), Image.BICUBIC)
    noisy = np.asarray(soft).astype(np.int16) + generator.integers(-6, 7, (EDGE, EDGE, 3))
    return Image.fromarray(noisy.clip(0, 255).astype(np.uint8))


def processing_object():
    """As the host has one while it saves the images of a pass."""
    p = processing.StableDiffusionProcessingTxt2Img(
        outpath_samples=shared.opts.outdir_txt2img_samples, outpath_grids=shared.opts.outdir_txt2img_grids,
        prompt="a lighthouse at dusk, oil painting, detailed, warm light " * 4, negative_prompt="blurry, low quality " * 4,
        width=EDGE, height=EDGE, steps=20, sampler_name="Euler a", batch_size=1, n_iter=1000,
    )
    p.all_prompts = [p.prompt] * 1000
    p.all_negative_prompts = [p.negative_prompt] * 1000
    p.all_seeds, p.all_subseeds = list(range(1000)), list(range(1000))
    p.iteration = p.batch_index = 0
    return p


@contextmanager
def recorded_pass(session, p):
    session.before_process(p, ())
    session.enter_pass(p)
    try:
        yield
    finally:
        session.leave_pass(p, None)


def measure(pairs: int):
    """Seconds of one save without and with recording, interleaved; the writer thread is idle when each begins."""
    from lib_sdpipe.hosts import extension

    session = extension._session
    plain, recorded = processing_object(), processing_object()
    without, added = [], []
    with recorded_pass(session, recorded):
        session.process(recorded)
        for number in range(pairs + 5):
            first, second = picture(2 * number), picture(2 * number + 1)
            recorded.iteration = plain.iteration = number
            order = [(plain, first), (recorded, second)] if number % 2 else [(recorded, first), (plain, second)]
            seconds = {}
            for p, image in order:
                seconds[p is recorded] = save(session, p, image, number)
                session.recorder.flush(60)
            if number >= 5:
                without.append(seconds[False])
                added.append(seconds[True] - seconds[False])
    return {
        "pairs": pairs,
        "host_save_ms": 1000 * statistics.median(without),
        "added_ms": 1000 * statistics.median(added),
        "share_percent": 100 * statistics.median(added) / statistics.median(without),
    }


def save(session, p, image, number):
    text = f"{p.prompt}\nNegative prompt: {p.negative_prompt}\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: {number}, Size: 512x512"
    started = time.perf_counter()
    session.before_process_batch(p, number)
    session.postprocess_batch_list(p, 1)
    session.after_composite(p, image)
    images.save_image(image, p.outpath_samples, "", number, p.prompt, "png", info=text, p=p)
    return time.perf_counter() - started


def on_app_started(demo, app):
    app.add_api_route("/sdpipe-bench/saves", measure, methods=["POST"])


script_callbacks.on_app_started(on_app_started)
