#!/usr/bin/env python3
"""A damaged registry must be refused by name, a newer one must work unchanged.

    generate_test.py REGISTRY_DIR [unittest arguments]

Each case writes a copy of REGISTRY_DIR/vk.xml with one change and runs `generate.py --check` on it. All
runs are started at once, a few at a time, and each test then judges its own.
"""

import concurrent.futures
import os
import re
import subprocess
import sys
import tempfile
import unittest

FOLDER = os.path.dirname(os.path.abspath(__file__))
REGISTRY = "/usr/share/vulkan/registry"


class Xml:
    """The text of vk.xml. An edit that does not change exactly one place is an error in the test."""

    def __init__(self, text):
        self.text = text

    def _replace(self, start, end, old, new):
        part = self.text[start:end]
        if part.count(old) != 1:
            raise AssertionError(f"{old!r} occurs {part.count(old)} times where one change is wanted")
        self.text = self.text[:start] + part.replace(old, new) + self.text[end:]

    def _block(self, pattern, closing):
        found = re.search(pattern, self.text)
        if not found:
            raise AssertionError(f"vk.xml has nothing like {pattern}")
        return found.start(), self.text.index(closing, found.end()) + len(closing)

    def _type(self, name):
        return self._block(rf'<type category="(?:struct|union)" name="{name}"', "</type>\n        <")

    def in_type(self, name, old, new):
        self._replace(*self._type(name), old, new)

    def in_command(self, name, old, new):
        at = self.text.index(f"<name>{name}</name></proto>")
        self._replace(self.text.rindex("<command", 0, at), self.text.index("</command>", at), old, new)

    def drop_member(self, name, member):
        start, end = self._type(name)
        part, dropped = re.subn(rf" *<member[^\n]*<name>{member}</name>[^\n]*\n", "", self.text[start:end])
        if dropped != 1:
            raise AssertionError(f"{name}::{member} dropped {dropped} times")
        self.text = self.text[:start] + part + self.text[end:]

    def drop_command(self, name):
        at = self.text.index(f"<name>{name}</name></proto>")
        start = self.text.rindex("<command", 0, at)
        end = self.text.index("</command>", at) + len("</command>")
        self.text = self.text[:start] + self.text[end:]
        self.text = re.sub(rf' *<command name="{name}"[^\n]*/>\n', "", self.text)

    def insert_before(self, closing, text):
        at = self.text.index(closing)
        self.text = self.text[:at] + text + self.text[at:]


def rename(kind, owner, old, new):
    def change(xml):
        (xml.in_type if kind == "type" else xml.in_command)(owner, f"<name>{old}</name>", f"<name>{new}</name>")
    return change


def newer(xml):
    """What a later registry may bring: an extension with a command, a structure and an enumerant."""
    xml.insert_before("    </types>\n", """
        <type category="struct" name="VkPhysicalDeviceWarpDriveFeaturesEXT" structextends="VkPhysicalDeviceFeatures2,VkDeviceCreateInfo">
            <member values="VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_WARP_DRIVE_FEATURES_EXT"><type>VkStructureType</type> <name>sType</name></member>
            <member optional="true"><type>void</type>* <name>pNext</name></member>
            <member><type>VkBool32</type> <name>warpDrive</name></member>
        </type>
        <type category="struct" name="VkPhysicalDeviceWarpDrivePropertiesEXT" returnedonly="true" structextends="VkPhysicalDeviceProperties2">
            <member values="VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_WARP_DRIVE_PROPERTIES_EXT"><type>VkStructureType</type> <name>sType</name></member>
            <member optional="true"><type>void</type>* <name>pNext</name></member>
            <member><type>float</type> <name>maxFactor</name></member>
            <member><type>void</type>* <name>pChart</name></member>
        </type>
        <type category="struct" name="VkWarpInfoEXT" structextends="VkSubmitInfo">
            <member values="VK_STRUCTURE_TYPE_WARP_INFO_EXT"><type>VkStructureType</type> <name>sType</name></member>
            <member optional="true">const <type>void</type>* <name>pNext</name></member>
            <member><type>PFN_vkVoidFunction</type> <name>pfnWarp</name></member>
        </type>
""")
    xml.insert_before("    </commands>\n", """
        <command queues="graphics" renderpass="both" cmdbufferlevel="primary" tasks="action">
            <proto><type>void</type> <name>vkCmdWarpEXT</name></proto>
            <param externsync="true"><type>VkCommandBuffer</type> <name>commandBuffer</name></param>
            <param><type>uint32_t</type> <name>factor</name></param>
        </command>
""")
    xml.insert_before("    </extensions>\n", """
        <extension name="VK_EXT_warp_drive" number="9999" author="EXT" type="device" supported="vulkan">
            <require>
                <enum value="1" name="VK_EXT_WARP_DRIVE_SPEC_VERSION"/>
                <enum value="&quot;VK_EXT_warp_drive&quot;" name="VK_EXT_WARP_DRIVE_EXTENSION_NAME"/>
                <enum offset="0" extends="VkStructureType" extnumber="999" name="VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_WARP_DRIVE_FEATURES_EXT"/>
                <enum offset="1" extends="VkStructureType" extnumber="999" name="VK_STRUCTURE_TYPE_WARP_INFO_EXT"/>
                <enum offset="2" extends="VkStructureType" extnumber="999" name="VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_WARP_DRIVE_PROPERTIES_EXT"/>
                <type name="VkPhysicalDeviceWarpDriveFeaturesEXT"/>
                <type name="VkPhysicalDeviceWarpDrivePropertiesEXT"/>
                <type name="VkWarpInfoEXT"/>
                <command name="vkCmdWarpEXT"/>
            </require>
        </extension>
""")


def arrived(last_member):
    """A registry that has an extension of later_extensions.json itself."""
    def change(xml):
        members = "".join(f"<member><type>VkBool32</type> <name>{name}</name></member>\n"
                          for name in ("shaderFmaFloat16", "shaderFmaFloat32", last_member))
        xml.insert_before("    </types>\n", f"""
        <type category="struct" name="VkPhysicalDeviceShaderFmaFeaturesKHR" structextends="VkPhysicalDeviceFeatures2,VkDeviceCreateInfo">
            <member values="VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_FMA_FEATURES_KHR"><type>VkStructureType</type> <name>sType</name></member>
            <member optional="true"><type>void</type>* <name>pNext</name></member>
            {members}</type>
""")
        xml.insert_before("    </extensions>\n", """
        <extension name="VK_KHR_shader_fma" number="580" author="KHR" type="device" supported="vulkan">
            <require>
                <enum value="1" name="VK_KHR_SHADER_FMA_SPEC_VERSION"/>
                <enum value="&quot;VK_KHR_shader_fma&quot;" name="VK_KHR_SHADER_FMA_EXTENSION_NAME"/>
                <enum offset="0" extends="VkStructureType" name="VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_FMA_FEATURES_KHR"/>
                <type name="VkPhysicalDeviceShaderFmaFeaturesKHR"/>
            </require>
        </extension>
""")
    return change


# name of the case -> (change, words that the message must have; none: the registry must pass)
CASES = {
    "untouched": (lambda xml: None, []),
    "newer": (newer, []),
    "arrived": (arrived("shaderFmaFloat64"), []),
    "arrived otherwise": (arrived("shaderFmaFloat80"), ["VkPhysicalDeviceShaderFmaFeaturesKHR", "shaderFmaFloat64"]),
    "renamed scalar": (rename("type", "VkBufferCopy", "dstOffset", "destOffset"), ["VkBufferCopy", "dstOffset"]),
    "renamed length": (rename("type", "VkSubmitInfo", "commandBufferCount", "cmdBufferCount"),
                       ["VkSubmitInfo", "commandBufferCount"]),
    "renamed member of a returned structure": (
        rename("type", "VkPhysicalDeviceDriverProperties", "driverInfo", "driverInformation"),
        ["VkPhysicalDeviceDriverProperties", "driverInfo"]),
    "renamed union member": (rename("type", "VkAccelerationStructureGeometryDataKHR", "aabbs", "boxes"),
                             ["VkAccelerationStructureGeometryDataKHR", "aabbs"]),
    "renamed member of an unselected union": (rename("type", "VkClearColorValue", "uint32", "unsigned32"),
                                              ["VkClearColorValue", "uint32"]),
    "renamed parameter": (rename("command", "vkCmdDraw", "firstVertex", "vertexOffset"), ["vkCmdDraw", "firstVertex"]),
    "renamed output count": (rename("command", "vkGetPipelineCacheData", "pDataSize", "pSize"),
                             ["vkGetPipelineCacheData", "pDataSize"]),
    "dropped command": (lambda xml: xml.drop_command("vkCmdDrawIndexed"), ["vkCmdDrawIndexed"]),
    "dropped member": (lambda xml: xml.drop_member("VkSubpassDescription", "pipelineBindPoint"),
                       ["VkSubpassDescription", "pipelineBindPoint"]),
    "dropped length": (lambda xml: xml.drop_member("VkSubpassDescription", "colorAttachmentCount"),
                       ["VkSubpassDescription", "colorAttachmentCount"]),
    "dropped structextends": (
        lambda xml: xml.in_type("VkPhysicalDeviceTimelineSemaphoreFeatures", ",VkDeviceCreateInfo", ""),
        ["VkPhysicalDeviceTimelineSemaphoreFeatures", "VkDeviceCreateInfo"]),
    "narrower member": (
        lambda xml: xml.in_type("VkBufferCopy", "<type>VkDeviceSize</type>                       <name>srcOffset",
                                "<type>uint32_t</type> <name>srcOffset"),
        ["VkBufferCopy", "srcOffset", "u64", "u32"]),
    "narrower flags": (
        lambda xml: xml._replace(*xml._block('<enums name="VkPipelineStageFlagBits2"', ">"), ' bitwidth="64"', ""),
        ["StageMask", "u64", "u32"]),
    "shorter fixed array": (
        lambda xml: xml.in_type("VkPhysicalDeviceDriverProperties", "VK_MAX_DRIVER_INFO_SIZE", "VK_UUID_SIZE"),
        ["VkPhysicalDeviceDriverProperties", "driverInfo"]),
    "changed length": (lambda xml: xml.in_type("VkShaderModuleCreateInfo", 'altlen="codeSize / 4"', 'altlen="codeSize"'),
                       ["VkShaderModuleCreateInfo", "pCode"]),
    "length without a member": (
        lambda xml: xml.in_type("VkSubmitInfo", '<member len="commandBufferCount"', '<member len="bufferCount"'),
        ["VkSubmitInfo", "pCommandBuffers", "bufferCount"]),
    "input became output": (
        lambda xml: xml.in_command("vkCmdUpdateBuffer", "const <type>void</type>", "<type>void</type>"),
        ["vkCmdUpdateBuffer", "pData"]),
}


def check(change):
    """(exit code, standard error) of the generator on a copy of the registry with one change."""
    with tempfile.TemporaryDirectory() as folder:
        for entry in os.listdir(REGISTRY):
            if entry != "vk.xml" and entry != "__pycache__":
                os.symlink(os.path.join(REGISTRY, entry), os.path.join(folder, entry))
        with open(os.path.join(REGISTRY, "vk.xml")) as file:
            xml = Xml(file.read())
        change(xml)
        with open(os.path.join(folder, "vk.xml"), "w") as file:
            file.write(xml.text)
        ran = subprocess.run([sys.executable, os.path.join(FOLDER, "generate.py"), "--registry", folder, "--check"],
                             capture_output=True, text=True)
        return ran.returncode, ran.stderr


class DamagedRegistry(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.pool = concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 2)
        cls.runs = {name: cls.pool.submit(check, change) for name, (change, _) in CASES.items()}

    @classmethod
    def tearDownClass(cls):
        cls.pool.shutdown()

    def judge(self, name):
        words = CASES[name][1]
        code, message = self.runs[name].result()
        if not words:
            self.assertEqual((code, message), (0, ""))
            return
        self.assertEqual(code, 1, message)
        self.assertTrue(message.startswith("codegen: "), f"no message of our own: {message}")
        self.assertEqual(message.count("\n"), 1, f"not one line: {message}")
        for word in words:
            self.assertIn(word, message)


for case in CASES:
    setattr(DamagedRegistry, "test_" + case.replace(" ", "_"), lambda self, case=case: self.judge(case))


if __name__ == "__main__":
    if len(sys.argv) > 1 and not sys.argv[1].startswith("-"):
        REGISTRY = sys.argv.pop(1)
    unittest.main()
