using System.Text.RegularExpressions;
using Evidence.Vaults;

namespace Evidence.Verification;

/// <summary>Files in a vault that are none of its own: they prove nothing and harm nothing, but somebody put them there.</summary>
internal static partial class ForeignFiles
{
    internal static IEnumerable<Finding> Find(VaultLayout layout)
    {
        if (!Directory.Exists(layout.Folder))
            yield break;
        foreach (string path in Directory.EnumerateFiles(layout.Folder, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            string file = Path.GetRelativePath(layout.Folder, path);
            // The check of the ledger looks after its own folder.
            if (!Known().IsMatch(file) && !file.StartsWith("ledger/", StringComparison.Ordinal) && !file.StartsWith("staging/", StringComparison.Ordinal))
                yield return new Finding("foreign", file, null, null, "This file is none of the vault's. It was not used.", ContentVerdict.Verified);
        }
    }

    [GeneratedRegex(@"^(vault\.json|packs/(?<two>[0-9a-f]{2})/\k<two>[0-9a-f]{62}\.pack|images/[0-9a-f]{64}\.json)$", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Known();
}
