"""Blocks: pieces of messages that are written once and used in many, every version kept."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class ContentBlock(models.Model):
    """A footer, a signature, a banner. Messages name it; a launch freezes the version of that moment."""

    name = models.SlugField(
        _("name"), max_length=50, unique=True, help_text=_("As messages call it, for example footer.")
    )
    description = models.CharField(_("description"), max_length=200, blank=True)
    archived_at = models.DateTimeField(_("archived at"), null=True, blank=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("content block")
        verbose_name_plural = _("content blocks")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class BlockVersion(models.Model):
    """Never changed: another text is another version."""

    block = models.ForeignKey(
        ContentBlock, models.CASCADE, related_name="versions", verbose_name=_("content block")
    )
    number = models.PositiveIntegerField(_("number"))
    texts = models.JSONField(
        _("texts"), help_text=_("By language; the one without a language is for everybody else.")
    )
    note = models.CharField(_("note"), max_length=200, blank=True)
    created_by = models.CharField(_("created by"), max_length=200)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("block version")
        verbose_name_plural = _("block versions")
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["block", "number"], name="block_version_once")]

    def __str__(self) -> str:
        return f"{self.block} v{self.number}"


class PhraseSet(models.Model):
    """Phrases and the rules that put them together. A launch freezes the version of that moment."""

    name = models.SlugField(
        _("name"), max_length=50, unique=True, help_text=_("As messages call it, for example greeting.")
    )
    description = models.CharField(_("description"), max_length=200, blank=True)
    archived_at = models.DateTimeField(_("archived at"), null=True, blank=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("phrase set")
        verbose_name_plural = _("phrase sets")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class PhraseVersion(models.Model):
    """Never changed: other phrases are another version."""

    phrase_set = models.ForeignKey(
        PhraseSet, models.CASCADE, related_name="versions", verbose_name=_("phrase set")
    )
    number = models.PositiveIntegerField(_("number"))
    texts = models.JSONField(
        _("texts"), help_text=_("By language; the one without a language is for everybody else.")
    )
    language = models.CharField(_("language of the text for everybody"), max_length=20, default="en")
    memory = models.PositiveSmallIntegerField(
        _("memory"), default=3, help_text=_("In so many messages no phrase is repeated to a customer.")
    )
    note = models.CharField(_("note"), max_length=200, blank=True)
    created_by = models.CharField(_("created by"), max_length=200)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("version of a phrase set")
        verbose_name_plural = _("versions of phrase sets")
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["phrase_set", "number"], name="phrase_version_once")]

    def __str__(self) -> str:
        return f"{self.phrase_set} v{self.number}"
