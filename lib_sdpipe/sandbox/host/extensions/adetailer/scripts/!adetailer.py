"""A pretend ADetailer: it detects by name of model and seed, and calls the host in ADetailer's manner (v25.3.0)."""

from copy import copy
from pathlib import Path

import gradio as gr
from modules import images, paths, script_callbacks, scripts, shared
from modules.processing import Processed, StableDiffusionProcessingImg2Img, create_infotext, process_images
from modules.shared import opts, state
from modules.ui_components import InputAccordion
from PIL import Image, ImageDraw

from lib_sdpipe.sandbox import renderer

VERSION = "25.3.0"
MODELS = ("face_yolov8n.pt", "always_yolov8n.pt", "never_yolov8n.pt")
SCRIPT_DEFAULT = "dynamic_prompting,dynamic_thresholding,lora_block_weight,negpip,wildcard_recursive,wildcards"
BUILTIN_SCRIPT = "soft_inpainting,hypertile_script"
DEFAULTS = {
    "ad_model": "None", "ad_tab_enable": True, "ad_prompt": "", "ad_negative_prompt": "", "ad_confidence": 0.3,
    "ad_dilate_erode": 4, "ad_mask_blur": 4, "ad_denoising_strength": 0.4, "ad_inpaint_only_masked": True,
    "ad_inpaint_only_masked_padding": 32, "ad_use_steps": False, "ad_steps": 28,
}
LABELS = {
    "ad_model": "model", "ad_prompt": "prompt", "ad_negative_prompt": "negative prompt", "ad_confidence": "confidence",
    "ad_dilate_erode": "dilate erode", "ad_mask_blur": "mask blur", "ad_denoising_strength": "denoising strength",
    "ad_inpaint_only_masked": "inpaint only masked", "ad_inpaint_only_masked_padding": "inpaint padding",
    "ad_use_steps": "use separate steps", "ad_steps": "steps",
}


def ordinal_suffix(n, separator=" "):
    return "" if n == 0 else separator + {1: "2nd", 2: "3rd"}.get(n, f"{n + 1}th")


def is_active(arg):
    return arg["ad_model"] != "None" and arg["ad_tab_enable"]


def infotext_of(arg, n):
    """Values that say nothing are left out: empty prompts, padding without "only masked", steps that are not separate."""
    hidden = {k for k in ("ad_prompt", "ad_negative_prompt") if not arg[k]}
    hidden |= set() if arg["ad_inpaint_only_masked"] else {"ad_inpaint_only_masked_padding"}
    hidden |= set() if arg["ad_use_steps"] else {"ad_use_steps", "ad_steps"}
    return {f"ADetailer {label}{ordinal_suffix(n)}": arg[k] for k, label in LABELS.items() if k not in hidden}


class AfterDetailerScript(scripts.Script):
    def title(self):
        return "ADetailer"

    def show(self, is_img2img):
        return scripts.AlwaysVisible

    def ui(self, is_img2img):
        with InputAccordion(False, label="ADetailer (pretended)", elem_id=self.elem_id("ad_main_accordion")) as enabled:
            skip = gr.Checkbox(label="Skip img2img", value=False, visible=is_img2img,
                               elem_id=self.elem_id("ad_skip_img2img"))
            model = gr.Dropdown(label="ADetailer detector", choices=["None", *MODELS], value=MODELS[0],
                                elem_id=self.elem_id("ad_model"))
            strength = gr.Slider(0, 1, value=0.4, step=0.01, label="Inpaint denoising strength",
                                 elem_id=self.elem_id("ad_denoising_strength"))
            first = gr.State({**DEFAULTS, "ad_model": MODELS[0]})
            others = [gr.State(dict(DEFAULTS)) for _ in range(opts.data.get("ad_max_models", 2) - 1)]
        for component in (model, strength):
            component.change(lambda m, s: {**DEFAULTS, "ad_model": m, "ad_denoising_strength": s},
                             inputs=[model, strength], outputs=[first])
        self.infotext_fields = [(enabled, lambda d: "ADetailer model" in d), (model, "ADetailer model")]
        return [enabled, skip, first, *others]

    # --- arguments ---

    def get_args(self, args):
        """The valid dicts; one with an unknown key is left out, as ADetailer's strict model leaves it out."""
        dicts = [x for x in args if isinstance(x, dict)]
        return [{**DEFAULTS, **x} for x in dicts if set(x) <= set(DEFAULTS) | {"is_api"}]

    def is_enabled(self, args):
        switched_on = args[0] if args and isinstance(args[0], bool) else True
        return switched_on and any(is_active(x) for x in self.get_args(args))

    # --- hooks ---

    def process(self, p, *args):
        if getattr(p, "_ad_disabled", False):
            return
        mask = getattr(p, "image_mask", None)
        if not self.is_enabled(args) or (mask is not None and mask.convert("L").getbbox() is None):
            p._ad_disabled = True
            return
        self.shrink_main_pass(p, args)
        for n, arg in enumerate(self.get_args(args)):
            if is_active(arg):
                p.extra_generation_params.update(infotext_of(arg, n))
        p.extra_generation_params["ADetailer version"] = VERSION

    def shrink_main_pass(self, p, args):
        """ "Skip img2img": the main pass is made tiny, and the detailer works on the input picture."""
        if hasattr(p, "_ad_skip_img2img") or not getattr(p, "init_images", None):
            return
        p._ad_skip_img2img = len(args) > 1 and args[1] is True
        if p._ad_skip_img2img:
            p._ad_orig = {"steps": p.steps, "sampler_name": p.sampler_name, "width": p.width, "height": p.height}
            p.steps, p.sampler_name, p.width, p.height = 1, "Euler", 128, 128

    def postprocess_image(self, p, pp, *args):
        if getattr(p, "_ad_disabled", False) or not self.is_enabled(args):
            return
        skipping = getattr(p, "_ad_skip_img2img", False)
        pp.image = (p.init_images[0] if skipping else pp.image).convert("RGB")
        before = copy(pp.image)
        params_txt = Path(paths.data_path, "params.txt")
        last = params_txt.read_text(encoding="utf8") if params_txt.exists() else ""
        if p.scripts is not None and p.batch_index == 0:
            p.scripts.postprocess(copy(p), Processed(p, [], p.seed, ""))
        changed = False
        for n, arg in enumerate(self.get_args(args)):
            if is_active(arg):
                changed |= self.detail(p, pp, arg, n)
        if changed and not skipping:
            self.save(p, before, "ad_save_images_before", "-ad-before")
        if p.scripts is not None and p.batch_index == p.batch_size - 1:
            other = copy(p)
            p.scripts.before_process(other)
            p.scripts.process(other)
        if last:
            params_txt.write_text(last, encoding="utf8")

    # --- work ---

    def place(self, p):
        """Index in the job, and the seeds of the image there."""
        i = p.iteration * p.batch_size + p.batch_index
        return i, p.all_seeds[i % len(p.all_seeds)], p.all_subseeds[i % len(p.all_subseeds)]

    def detect(self, p, model, size):
        """A mask, or None: "always" and "never" do as they say, the face model finds two of three seeds."""
        if model not in MODELS:
            raise ValueError(f"no such detector: {model!r} (there are {', '.join(MODELS)})")
        _, seed, subseed = self.place(p)
        if model.startswith("never") or (model.startswith("face") and seed % 3 == 0):
            return None
        cx, cy, rx, ry = renderer.focus(renderer.Scene("", seed=seed, subseed=subseed,
                                                       subseed_strength=p.subseed_strength))
        w, h = size
        mask = Image.new("L", size, 0)
        ImageDraw.Draw(mask).ellipse(((cx - rx) * w, (cy - ry) * h, (cx + rx) * w, (cy + ry) * h), fill=255)
        return mask

    def detail(self, p, pp, arg, n):
        if state.interrupted or state.skipped:
            return False
        i2i = self.inner_request(p, arg, pp.image)
        mask = self.detect(p, arg["ad_model"], pp.image.size)
        if mask is None:
            print("ADetailer: found nothing")  # noqa: T201
            return False
        preview = Image.blend(pp.image, Image.composite(Image.new("RGB", pp.image.size, "red"), pp.image, mask), 0.4)
        state.assign_current_image(preview)
        self.save(p, preview, "ad_save_previews", "-ad-preview" + ordinal_suffix(n, "-"))
        state.job_count += 1
        p2 = copy(i2i)
        p2.image_mask = mask
        i, p2.seed, p2.subseed = self.place(p)
        p2.prompt = arg["ad_prompt"] or p.all_prompts[i % len(p.all_prompts)]
        p2.negative_prompt = arg["ad_negative_prompt"] or p.all_negative_prompts[i % len(p.all_negative_prompts)]
        try:
            processed = process_images(p2)
        finally:
            p2.close()
        if not processed.images:
            return False
        pp.image = processed.images[0]
        return True

    def inner_request(self, p, arg, image):
        _, seed, subseed = self.place(p)
        own = getattr(p, "_ad_orig", {"steps": p.steps, "sampler_name": p.sampler_name, "width": p.width,
                                      "height": p.height})
        i2i = StableDiffusionProcessingImg2Img(
            init_images=[image], resize_mode=0, denoising_strength=arg["ad_denoising_strength"], mask=None,
            mask_blur=arg["ad_mask_blur"], inpainting_fill=1, inpaint_full_res=arg["ad_inpaint_only_masked"],
            inpaint_full_res_padding=arg["ad_inpaint_only_masked_padding"], inpainting_mask_invert=0,
            sd_model=p.sd_model, outpath_samples=p.outpath_samples, outpath_grids=p.outpath_grids, prompt="",
            negative_prompt="", styles=p.styles, seed=seed, subseed=subseed, subseed_strength=p.subseed_strength,
            seed_resize_from_h=p.seed_resize_from_h, seed_resize_from_w=p.seed_resize_from_w,
            sampler_name=own["sampler_name"], scheduler=p.scheduler, batch_size=1, n_iter=1,
            steps=arg["ad_steps"] if arg["ad_use_steps"] else own["steps"], cfg_scale=p.cfg_scale,
            width=own["width"], height=own["height"], restore_faces=False, tiling=p.tiling,
            extra_generation_params={k: v for k, v in p.extra_generation_params.items() if not callable(v)},
            do_not_save_samples=True, do_not_save_grid=True, override_settings={},
        )
        if p.scripts is not None:
            i2i.scripts, i2i.script_args = self.filtered_scripts(p)
        i2i._ad_disabled = True
        i2i._ad_inner = True
        return i2i

    def filtered_scripts(self, p):
        runner = copy(p.scripts)
        if opts.data.get("ad_only_selected_scripts", True):
            listed = opts.data.get("ad_script_names", SCRIPT_DEFAULT) + "," + BUILTIN_SCRIPT
            names = {x.strip() for x in listed.split(",")}
            runner.alwayson_scripts = [x for x in runner.alwayson_scripts if Path(x.filename).stem in names]
        return runner, p.script_args

    def save(self, p, image, condition, suffix):
        if opts.data.get(condition, False):
            i, seed, _ = self.place(p)
            text = create_infotext(p, p.all_prompts, p.all_seeds, p.all_subseeds, None, 0, 0)  # always of image 0
            images.save_image(image, opts.data.get("ad_save_images_dir") or p.outpath_samples, "", seed=seed,
                              prompt=p.all_prompts[i % len(p.all_prompts)], extension=opts.samples_format, info=text,
                              p=p, suffix=suffix)


def on_ui_settings():
    section = ("ADetailer", "ADetailer")
    for key, default, label in (
        ("ad_max_models", 4, "Max tabs"), ("ad_save_images_dir", "", "Folder for what ADetailer saves"),
        ("ad_save_previews", False, "Save previews of the masks"),
        ("ad_save_images_before", False, "Save the image before it is detailed"),
        ("ad_only_selected_scripts", True, "Call only the scripts named below in its passes"),
        ("ad_script_names", SCRIPT_DEFAULT, "Names of those scripts, with commas"),
    ):
        shared.opts.add_option(key, shared.OptionInfo(default, label, section=section))


script_callbacks.on_ui_settings(on_ui_settings)
