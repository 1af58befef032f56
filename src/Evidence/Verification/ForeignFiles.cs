using System.Text.RegularExpressions;
using Evidence.Vaults;

namespace Evidence.Verification;

/// <summary>Files in a vault that are none of its own: they prove nothing and harm nothing, but somebody put them there.</summary>
internal static partial class ForeignFiles
{
    internal static IEnumerable<Finding> Find(VaultLayout layout, Action<string, EvidenceException> failed)
    {
        foreach ((string path, bool isFolder) in VaultFiles.Entries(layout.Folder, failed).OrderBy(e => e.Path, StringComparer.Ordinal))
        {
            string file = Path.GetRelativePath(layout.Folder, path);
            // The check of the ledger looks after its own folder.
            if (file.StartsWith("ledger/", StringComparison.Ordinal) || file.StartsWith("staging/", StringComparison.Ordinal))
                continue;
            if (IsSetAside(file, path))
            {
                if (!isFolder)
                    yield return new Finding("set-aside", file, null, null, "A repair found this file damaged and set it aside. It is kept as evidence of the damage, and not used.", ContentVerdict.Verified);
                continue;
            }

            bool known = Known().IsMatch(file);
            if (isFolder && known)
                yield return Foreign(file, "This folder stands where a file of the vault would. It was not used.");
            else if (!isFolder && known && VaultFiles.IsNoFile(path))
                yield return Foreign(file, "This is a link or no file of bytes. It was not used.");
            else if (!isFolder && !known)
                yield return Foreign(file, "This file is none of the vault's. It was not used.");
        }
    }

    private static bool IsSetAside(string file, string path) =>
        string.Equals(Path.GetDirectoryName(file), "damaged", StringComparison.Ordinal) && SetAsideFiles.IsKnown(Path.GetFileName(path));

    private static Finding Foreign(string file, string detail) => new("foreign", file, null, null, detail, ContentVerdict.Verified);

    [GeneratedRegex(@"^(vault\.json|replica\.json|packs/(?<two>[0-9a-f]{2})/\k<two>[0-9a-f]{62}\.pack|images/[0-9a-f]{64}\.json|documents/(?<first>[0-9a-f]{2})/\k<first>[0-9a-f]{62}|openings/[0-9a-f]{64}\.json)$", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Known();
}
