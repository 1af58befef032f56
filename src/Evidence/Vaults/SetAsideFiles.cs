using System.Text.RegularExpressions;
using Evidence.Hashing;
using Evidence.Platform;

namespace Evidence.Vaults;

/// <summary>
/// Damaged files that were taken out of their places: <c>damaged/NAME.pack</c>, <c>damaged/NAME.json</c> and <c>damaged/NAME.document</c>, a number behind the
/// name where there is one of it already. They are evidence of the damage, and are never removed.
/// </summary>
internal static partial class SetAsideFiles
{
    private const string DocumentExtension = ".document";

    /// <summary>Whether a name is one that a damaged pack is kept under.</summary>
    internal static bool IsPack(string name) => IsKnown(name) && name.EndsWith(VaultLayout.PackExtension, StringComparison.Ordinal);

    /// <summary>Whether a name is one that a damaged file is kept under.</summary>
    internal static bool IsKnown(string name) => Known().IsMatch(name);

    /// <summary>Takes a damaged pack out of its place, durably.</summary>
    /// <returns>Where it is now.</returns>
    internal static string MovePack(VaultLayout layout, Sha256Digest pack) => Place(layout, pack, VaultLayout.PackExtension, aside =>
    {
        DurableFile.Move(layout.Pack(pack), aside);
        return true;
    });

    /// <summary>
    /// Puts a manifest into its place. A damaged file that is there goes aside in the same step, so that whenever a run ends, no manifest is missing for it.
    /// </summary>
    /// <returns>Where the damaged file is now; null where there was none.</returns>
    internal static string? ReplaceManifest(VaultLayout layout, Sha256Digest image, ReadOnlySpan<byte> content, string temporaryFolder)
    {
        string path = layout.Manifest(image);
        DurableFile.CreateDirectory(layout.Images);
        if (!Path.Exists(path) && new FileInfo(path).LinkTarget is null)
        {
            _ = DurableFile.TryCreate(path, content, temporaryFolder);
            return null;
        }

        byte[] bytes = content.ToArray();
        return Place(layout, image, VaultLayout.ManifestExtension, aside =>
        {
            if (!DurableFile.TryCreate(aside, bytes, temporaryFolder))
                return false;
            DurableFile.Exchange(aside, path);
            return true;
        });
    }

    /// <summary>The name under which a file of the vault would be kept aside: a pack's, a manifest's or a document's; null for others.</summary>
    internal static string? NameOf(string path) =>
        Path.GetFileName(path) is not { } name ? null
        : Sha256Digest.TryParse(name, out _) ? name + DocumentExtension
        : IsKnown(name) ? name
        : null;

    /// <summary>Puts a file into a place where there is something else, which goes aside in the same step.</summary>
    /// <param name="layout">The vault.</param>
    /// <param name="name">What it is kept under.</param>
    /// <param name="good">The file, written and flushed.</param>
    /// <param name="path">Its place.</param>
    /// <returns>Where what was there is now.</returns>
    internal static string Exchange(VaultLayout layout, string name, string good, string path) =>
        Place(layout, Sha256Digest.Parse(Path.GetFileNameWithoutExtension(name)), Path.GetExtension(name), aside =>
        {
            if (!DurableFile.TryPublish(good, aside))
                return false;
            DurableFile.Exchange(aside, path);
            return true;
        });

    private static string Place(VaultLayout layout, Sha256Digest name, string extension, Func<string, bool> put)
    {
        DurableFile.CreateDirectory(layout.Damaged);
        for (int number = 0; ; number++)
        {
            string aside = Path.Combine(layout.Damaged, number == 0 ? $"{name}{extension}" : string.Create(null, $"{name}.{number}{extension}"));
            if (!Path.Exists(aside) && new FileInfo(aside).LinkTarget is null && put(aside))
                return aside;
        }
    }

    [GeneratedRegex(@"^[0-9a-f]{64}(\.[1-9][0-9]{0,8})?\.(pack|json|document)$", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Known();
}
