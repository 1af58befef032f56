using Evidence.Hashing;
using Evidence.Ledger;

namespace Evidence.Vaults;

/// <summary>Finds images by the names that people use. Those are labels: an ambiguous one is an error that lists the candidates.</summary>
internal static class ImageNames
{
    private const string Prefix = "sha256:";
    private const int FewestDigits = 8;

    /// <summary>Finds the one image of a name.</summary>
    /// <param name="images">The images that there are.</param>
    /// <param name="name">An item, of which the image is meant that no other one continues; or <c>sha256:</c> and at least eight hexadecimal digits of the image's id.</param>
    /// <param name="folder">The vault, for messages.</param>
    internal static ImageRecord Find(IReadOnlyList<ImageRecord> images, string name, string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        bool byId = name.StartsWith(Prefix, StringComparison.Ordinal);
        if (byId && name.Length < Prefix.Length + FewestDigits)
            throw new EvidenceException(ErrorCode.Usage, $"'{name}' is too short: give at least {FewestDigits} digits after '{Prefix}'.");
        ImageRecord[] found = [.. images.Where(i => byId
            ? i.Image.ToString().StartsWith(name[Prefix.Length..], StringComparison.OrdinalIgnoreCase)
            : string.Equals(i.Item, name, StringComparison.Ordinal))
            // Two entries may name one image; that is no reason to ask which.
            .GroupBy(i => i.Image)
            .Select(entries => entries.FirstOrDefault(e => e.Signature == EntrySignatureStatus.Valid) ?? entries.First())];
        // By an item's name, the last of its passes is meant: it has all that those before it have.
        if (!byId)
            found = [.. found.Where(i => !found.Any(later => later.Continues == i.Image && later.Entry > i.Entry && later.Signature == EntrySignatureStatus.Valid))];
        return found switch
        {
            [var one] => one,
            [] => throw new EvidenceException(
                ErrorCode.ImageNotFound, $"No image in {folder} is called '{name}'. 'evidence images' lists those that there are."),
            _ => throw new EvidenceException(
                ErrorCode.ImageAmbiguous,
                $"{found.Length} images in {folder} are called '{name}'. Name one by its id: " +
                string.Join(", ", found.Select(i => $"{Prefix}{Short(i.Image)} ({i.Time})"))),
        };
    }

    private static string Short(Sha256Digest image) => image.ToString()[..(2 * FewestDigits)];
}
